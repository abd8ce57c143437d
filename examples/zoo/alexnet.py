"""AlexNet (Krizhevsky et al. 2012) in one tower, with its local response normalisation."""
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers


class LocalResponseNormalization(layers.Layer):
    """b_i = a_i (k + alpha sum_j a_j^2)^-beta over the channels i - radius ... i + radius."""

    def __init__(self, radius=2, k=1.0, alpha=0.00002, beta=0.75, **kwargs):
        super().__init__(**kwargs)
        self.radius = radius
        self.k = k
        self.alpha = alpha
        self.beta = beta

    def call(self, inputs):
        return tf.nn.lrn(inputs, depth_radius=self.radius, bias=self.k, alpha=self.alpha,
                         beta=self.beta)


model = keras.Sequential([
    layers.Input(shape=(227, 227, 3)),
    layers.Conv2D(96, 11, strides=4, activation='relu'),
    LocalResponseNormalization(),
    layers.MaxPooling2D(3, strides=2),
    layers.Conv2D(256, 5, padding='same', activation='relu'),
    LocalResponseNormalization(),
    layers.MaxPooling2D(3, strides=2),
    layers.Conv2D(384, 3, padding='same', activation='relu'),
    layers.Conv2D(384, 3, padding='same', activation='relu'),
    layers.Conv2D(256, 3, padding='same', activation='relu'),
    layers.MaxPooling2D(3, strides=2),
    layers.Flatten(),
    layers.Dense(4096, activation='relu'),
    layers.Dropout(0.5),
    layers.Dense(4096, activation='relu'),
    layers.Dropout(0.5),
    layers.Dense(1000, activation='softmax'),
], name='alexnet')

model.compile(optimizer=keras.optimizers.SGD(learning_rate=0.01, momentum=0.9),
              loss='sparse_categorical_crossentropy', metrics=['accuracy'])
