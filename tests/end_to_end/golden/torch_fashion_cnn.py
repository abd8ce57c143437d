# The PyTorch network of torch_fashion_cnn_book.pt, whose file holds weights alone.
from tensorflow import keras

(train_x, train_y), (test_x, test_y) = keras.datasets.fashion_mnist.load_data()
test_x = test_x.reshape(-1, 28, 28, 1) / 255.0

model = keras.Sequential([
    keras.layers.Input(shape=(28, 28, 1)),
    keras.layers.Conv2D(32, 3, padding='same', activation='relu', name='conv1'),
    keras.layers.MaxPooling2D(2),
    keras.layers.Conv2D(64, 3, padding='same', activation='relu', name='conv2'),
    keras.layers.MaxPooling2D(2),
    keras.layers.Flatten(),
    keras.layers.Dense(100, activation='relu', name='dense1'),
    keras.layers.Dropout(0.3),
    keras.layers.Dense(10, name='dense2'),
])
model.compile(optimizer='adam', metrics=['accuracy'],
              loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
model.evaluate(test_x, test_y)
