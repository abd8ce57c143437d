# The functional API: shared layers, a nested model, merges, operators and function activations.
import keras
from keras import layers
import tensorflow as tf


class_count = 3


def block(x, filters, **options):
    """A convolution with its normalisation."""
    x = layers.Conv2D(filters, 3, use_bias=False, kernel_initializer='he_normal', **options)(x)
    x = layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x)
    return layers.Activation(tf.nn.relu)(x)


inputs = keras.Input(shape=(8, 8, 2), name='image')
x = block(inputs, 4, padding='same')
shortcut = x
x = block(x, 4, padding='same', strides=1)
x = x + shortcut
y = block(x, 4, padding='same', dilation_rate=2)
x = layers.concatenate([x, y * 0.5])
pool = keras.Sequential([layers.AveragePooling2D(2), layers.Conv2D(4, 1, activation='tanh', groups=2)],
                        name='pool')
a = pool(x)
b = pool(1.0 - x)
x = layers.Maximum()([a, b]) / 2
x = keras.activations.sigmoid(layers.GlobalAveragePooling2D()(x))
gate = layers.Dense(4, activation='sigmoid', name='gate')
x = layers.Multiply()([x, gate(x)])
x = layers.Average()([x, gate(x)])
outputs = layers.Dense(class_count, kernel_initializer=keras.initializers.TruncatedNormal(stddev=0.1))(x)
model = keras.Model(inputs=inputs, outputs=outputs)
model.compile(optimizer=keras.optimizers.RMSprop(learning_rate=1e-4, rho=0.95, momentum=0.5),
              loss=keras.losses.CategoricalCrossentropy(from_logits=True),
              metrics=[keras.metrics.CategoricalAccuracy(), 'mse'])
