# A textbook listing as it is printed: plots, prints and inspection around the network.
import time
import numpy as np
import matplotlib.pyplot as plt
import tensorflow as tf
from sklearn.model_selection import train_test_split
from tensorflow import keras

tf.random.set_seed(42)  # warning: tensorflow.random.set_seed is skipped: it has no meaning in a compiled program
(train_input, train_target), (test_input, test_target) = keras.datasets.fashion_mnist.load_data()
print(train_input.shape, np.unique(train_target))  # warning: numpy.unique is skipped: it has no meaning in a compiled program

fig, axs = plt.subplots(1, 10, figsize=(10, 10))  # warning: matplotlib.pyplot.subplots is skipped: it has no meaning in a compiled program
for i in range(10):
    axs[i].imshow(train_input[i], cmap='gray_r')  # warning: a call on the result of matplotlib.pyplot.subplots is skipped: it has no meaning in a compiled program
    axs[i].axis('off')  # warning: a call on the result of matplotlib.pyplot.subplots is skipped: it has no meaning in a compiled program
plt.show()  # warning: matplotlib.pyplot.show is skipped: it has no meaning in a compiled program

train_scaled = train_input.reshape(-1, 28, 28, 1) / 255.0
train_scaled, val_scaled, train_target, val_target = train_test_split(
    train_scaled, train_target, test_size=0.2, random_state=42)

model = keras.Sequential()
model.add(keras.layers.Conv2D(4, kernel_size=3, activation='relu', padding='same',
                              input_shape=(28, 28, 1)))
model.add(keras.layers.MaxPooling2D(2))
model.add(keras.layers.Flatten())
model.add(keras.layers.Dropout(0.4))
model.add(keras.layers.Dense(10, activation='softmax'))
model.summary()
keras.utils.plot_model(model, show_shapes=True)  # warning: keras.utils.plot_model is skipped: it has no meaning in a compiled program
model.compile(optimizer='adam', loss='sparse_categorical_crossentropy', metrics='accuracy')
checkpoint_cb = keras.callbacks.ModelCheckpoint('best-cnn-model.h5', save_best_only=True)
early_stopping_cb = keras.callbacks.EarlyStopping(patience=2, restore_best_weights=True)
start = time.time()  # warning: time.time is skipped: it has no meaning in a compiled program
history = model.fit(train_scaled, train_target, epochs=20,
                    validation_data=(val_scaled, val_target),
                    callbacks=[checkpoint_cb, early_stopping_cb])
print(f'took {time.time() - start:.2f} s')  # warning: time.time is skipped: it has no meaning in a compiled program
plt.plot(history.history['loss'])  # warning: matplotlib.pyplot.plot is skipped: it has no meaning in a compiled program
plt.xlabel('epoch'); plt.legend(['train', 'val'])  # warning: matplotlib.pyplot.xlabel is skipped: it has no meaning in a compiled program
model.evaluate(val_scaled, val_target)
preds = model.predict(val_scaled[0:1])
print(preds)  # warning: print is skipped: it has no meaning in a compiled program
classes = ['T-shirt', 'trouser', 'pullover', 'dress', 'coat', 'sandal', 'shirt', 'sneaker', 'bag', 'boot']
print(classes[np.argmax(preds)])  # warning: numpy.argmax is skipped: it has no meaning in a compiled program
right = 0
for p, t in zip(preds, val_target[0:1]):
    if np.argmax(p) == t:  # warning: numpy.argmax is skipped: it has no meaning in a compiled program
        right += 1
        break
print('right:', right)  # warning: print is skipped: it has no meaning in a compiled program
test_scaled = test_input.reshape(-1, 28, 28, 1) / 255.0
loss, accuracy = model.evaluate(test_scaled, test_target)
best = keras.models.load_model('best-cnn-model.h5')
conv = best.layers[0]
print(conv.weights[0].shape, conv.weights[1].shape)  # warning: print is skipped: it has no meaning in a compiled program
conv_weights = conv.weights[0].numpy()  # warning: a call on the result of weights is skipped: it has no meaning in a compiled program
print(conv_weights.mean(), conv_weights.std())  # warning: a call on the result of weights is skipped: it has no meaning in a compiled program
conv_acti = keras.Model(model.inputs, model.layers[0].output)
feature_maps = conv_acti.predict(test_input[0:1].reshape(-1, 28, 28, 1) / 255.0)
