"""LeNet-5 (LeCun et al. 1998) as a model class, with plain average pooling."""
from tensorflow import keras
from tensorflow.keras import layers


class LeNet5(keras.Model):
    def __init__(self, num_classes=10):
        super().__init__()
        self.pad = layers.ZeroPadding2D(2)
        self.c1 = layers.Conv2D(6, 5, activation='tanh')
        self.s2 = layers.AveragePooling2D()
        self.c3 = layers.Conv2D(16, 5, activation='tanh')
        self.s4 = layers.AveragePooling2D()
        self.c5 = layers.Conv2D(120, 5, activation='tanh')
        self.flatten = layers.Flatten()
        self.f6 = layers.Dense(84, activation='tanh')
        self.classify = layers.Dense(num_classes, activation='softmax')

    def call(self, x):
        x = self.s2(self.c1(self.pad(x)))
        x = self.s4(self.c3(x))
        x = self.flatten(self.c5(x))
        return self.classify(self.f6(x))


(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
x_train = x_train.reshape(-1, 28, 28, 1) / 255.0
x_test = x_test.reshape(-1, 28, 28, 1) / 255.0

model = LeNet5()
model.compile(optimizer='adam', loss='sparse_categorical_crossentropy', metrics=['accuracy'])
model.fit(x_train, y_train, epochs=10, validation_split=0.1)
model.evaluate(x_test, y_test)
