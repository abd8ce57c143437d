"""Layers and models of the script's own classes: ResNet-34's unit as the book writes it."""
from functools import partial

import tensorflow as tf
from tensorflow import keras

DefaultConv2D = partial(keras.layers.Conv2D, kernel_size=3, strides=1, padding="SAME",
                        use_bias=False)


class ResidualUnit(keras.layers.Layer):
    """Two convolutions and a shortcut."""

    count = 2

    def __init__(self, filters, strides=1, activation="relu", **kwargs):
        super().__init__(**kwargs)
        self.activation = keras.activations.get(activation)
        self.main_layers = [
            DefaultConv2D(filters, strides=strides),
            keras.layers.BatchNormalization(),
            self.activation,
            DefaultConv2D(filters),
            keras.layers.BatchNormalization()]
        self.skip_layers = []
        if strides > 1:
            self.skip_layers = [
                DefaultConv2D(filters, kernel_size=1, strides=strides),
                keras.layers.BatchNormalization()]

    def call(self, inputs):
        Z = inputs
        for layer in self.main_layers:
            Z = layer(Z)
        skip_Z = inputs
        for layer in self.skip_layers:
            skip_Z = layer(skip_Z)
        return self.activation(Z + skip_Z)


class Scale(keras.layers.Layer):
    def __init__(self, initial=1.0, name=None):
        super(Scale, self).__init__(name=name)
        self.initial = initial

    def build(self, input_shape):
        self.gain = self.add_weight(
            name="gain", shape=(input_shape[-1],),
            initializer=keras.initializers.Constant(self.initial), trainable=True)
        super().build(input_shape)

    def call(self, x):
        return x * self.gain

    def get_config(self):
        config = super().get_config()
        config.update({"initial": self.initial})
        return config


class SlowScale(Scale):
    @property
    def factor(self):
        return self.half(1.0)

    @staticmethod
    def half(x):
        return x / 2

    def call(self, x, training=None):
        assert isinstance(self, Scale) and isinstance(self, keras.layers.Layer)
        return super().call(x) * self.factor


class Net(keras.Model):
    def __init__(self, num_classes=10):
        super().__init__(name="net")
        self.stem = keras.Sequential([keras.layers.Conv2D(8, 3, activation="relu")])
        self.units = [ResidualUnit(8), ResidualUnit(16, strides=2)]
        self.scale = SlowScale(2.0, name="slow")
        self.pool = keras.layers.GlobalAveragePooling2D()
        self.dropout = keras.layers.Dropout(0.5)
        self.head = keras.layers.Dense(num_classes, activation="softmax")

    @tf.function
    def call(self, inputs, training=False):
        x = self.stem(inputs)
        for unit in self.units:
            x = unit(x)
        x = self.dropout(self.pool(self.scale(x)), training=training)
        return self.head(x)


(x_train, y_train), _ = keras.datasets.fashion_mnist.load_data()
x_train = x_train[..., tf.newaxis] / 255.0
model = Net()
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, epochs=2)
