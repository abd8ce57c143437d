"""GoogLeNet (Szegedy et al. 2014): nine inception modules and two auxiliary heads."""
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers


def conv(x, filters, size, strides=1):
    return layers.Conv2D(filters, size, strides=strides, padding='same', activation='relu')(x)


def lrn(x):
    return layers.Lambda(lambda t: tf.nn.local_response_normalization(
        t, depth_radius=2, bias=1, alpha=2e-5, beta=0.75))(x)


def pool(x, strides=2):
    return layers.MaxPooling2D(3, strides=strides, padding='same')(x)


def inception(x, ones, reduce3, threes, reduce5, fives, projection):
    """Filters of the four branches: 1x1; 3x3 and 5x5, each behind a 1x1; pooling, then 1x1."""
    return layers.Concatenate()([
        conv(x, ones, 1),
        conv(conv(x, reduce3, 1), threes, 3),
        conv(conv(x, reduce5, 1), fives, 5),
        conv(pool(x, strides=1), projection, 1)])


def auxiliary_head(x, name):
    x = layers.AveragePooling2D(5, strides=3)(x)
    x = conv(x, 128, 1)
    x = layers.Flatten()(x)
    x = layers.Dense(1024, activation='relu')(x)
    x = layers.Dropout(0.7)(x)
    return layers.Dense(1000, activation='softmax', name=name)(x)


inputs = keras.Input(shape=(224, 224, 3))
x = lrn(pool(conv(inputs, 64, 7, strides=2)))
x = pool(lrn(conv(conv(x, 64, 1), 192, 3)))
x = inception(x, 64, 96, 128, 16, 32, 32)
x = pool(inception(x, 128, 128, 192, 32, 96, 64))
x = inception(x, 192, 96, 208, 16, 48, 64)
auxiliary_1 = auxiliary_head(x, 'auxiliary_1')
x = inception(x, 160, 112, 224, 24, 64, 64)
x = inception(x, 128, 128, 256, 24, 64, 64)
x = inception(x, 112, 144, 288, 32, 64, 64)
auxiliary_2 = auxiliary_head(x, 'auxiliary_2')
x = pool(inception(x, 256, 160, 320, 32, 128, 128))
x = inception(x, 256, 160, 320, 32, 128, 128)
x = inception(x, 384, 192, 384, 48, 128, 128)
x = layers.GlobalAveragePooling2D()(x)
x = layers.Dropout(0.4)(x)
outputs = layers.Dense(1000, activation='softmax', name='main')(x)

model = keras.Model(inputs, [outputs, auxiliary_1, auxiliary_2], name='googlenet')
model.compile(optimizer=keras.optimizers.SGD(learning_rate=0.01, momentum=0.9),
              loss='sparse_categorical_crossentropy', loss_weights=[1.0, 0.3, 0.3],
              metrics={'main': ['accuracy', 'sparse_top_k_categorical_accuracy']})
