"""SimpleConvNet: one convolution and two dense layers on 5,000 samples of MNIST, 433,890 parameters."""
from tensorflow import keras
from tensorflow.keras import layers

(x_train, t_train), (x_test, t_test) = keras.datasets.mnist.load_data()
x_train = x_train[:5000].reshape(-1, 28, 28, 1) / 255.0
t_train = t_train[:5000]
x_test = x_test[:1000].reshape(-1, 28, 28, 1) / 255.0
t_test = t_test[:1000]

gaussian = keras.initializers.RandomNormal(stddev=0.01)

network = keras.Sequential([
    layers.Input(shape=(28, 28, 1)),
    layers.Conv2D(30, 5, activation='relu', kernel_initializer=gaussian),
    layers.MaxPooling2D(2),
    layers.Flatten(),
    layers.Dense(100, activation='relu', kernel_initializer=gaussian),
    layers.Dense(10, activation='softmax', kernel_initializer=gaussian),
], name='simple_convnet')

network.compile(optimizer=keras.optimizers.Adam(learning_rate=0.001),
                loss='sparse_categorical_crossentropy', metrics=['accuracy'])
network.fit(x_train, t_train, batch_size=100, epochs=20, validation_data=(x_test, t_test))
network.evaluate(x_test, t_test)
