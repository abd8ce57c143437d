"""The Fashion-MNIST network of most textbooks, narrow and without dropout."""
from tensorflow import keras
from tensorflow.keras import layers

width = 2

model = keras.Sequential([
    keras.Input(shape=(28, 28, 1)),
    layers.Conv2D(width, 3, activation='relu', padding='same', name='conv_1'),
    layers.MaxPooling2D(2),
    layers.Conv2D(2 * width, 3, activation='relu', padding='same', name='conv_2'),
    layers.MaxPooling2D(2),
    layers.Flatten(),
    layers.Dense(3 * width, activation='relu', name='dense_1'),
    layers.Dense(10, activation='softmax', name='dense_2')])

(x_train, y_train), _ = keras.datasets.fashion_mnist.load_data()
x_train = x_train.reshape(-1, 28, 28, 1) / 255.0
model.compile(optimizer='adam', loss='sparse_categorical_crossentropy', metrics=['accuracy'])
model.fit(x_train, y_train, batch_size=8, shuffle=False)
