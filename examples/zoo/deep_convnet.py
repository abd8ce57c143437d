"""DeepConvNet of "Deep Learning from Scratch", chapter 8: six convolutions for MNIST.

The book's dropout is not scaled in training; its inference multiplies by what is kept (0.5). Keras's
is scaled in training, so that each is followed by a factor of 0.5 here.
"""
from tensorflow import keras
from tensorflow.keras import layers


def conv(filters, **options):
    return layers.Conv2D(filters, 3, activation='relu', kernel_initializer='he_normal', **options)


(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
x_train = x_train.reshape(-1, 28, 28, 1) / 255.0
x_test = x_test.reshape(-1, 28, 28, 1) / 255.0

model = keras.Sequential([
    keras.Input(shape=(28, 28, 1)),
    conv(16, padding='same'),
    conv(16, padding='same'),
    layers.MaxPooling2D(2),
    conv(32, padding='same'),
    layers.ZeroPadding2D(2),
    conv(32),
    layers.MaxPooling2D(2),
    conv(64, padding='same'),
    conv(64, padding='same'),
    layers.MaxPooling2D(2),
    layers.Flatten(),
    layers.Dense(50, activation='relu', kernel_initializer='he_normal'),
    layers.Dropout(0.5),
    layers.Rescaling(0.5),
    layers.Dense(10, kernel_initializer='he_normal'),
    layers.Dropout(0.5),
    layers.Rescaling(0.5),
    layers.Softmax(),
], name='deep_convnet')

model.compile(optimizer=keras.optimizers.Adam(learning_rate=0.001),
              loss='sparse_categorical_crossentropy', metrics=['accuracy'])
model.fit(x_train, y_train, batch_size=100, epochs=20)
model.evaluate(x_test, y_test)
