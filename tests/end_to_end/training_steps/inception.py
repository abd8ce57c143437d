"""Three inception modules with an auxiliary head after each but the last, as in GoogLeNet."""
from tensorflow import keras
from tensorflow.keras import layers

width = 2


def conv(x, filters, size, name, strides=1):
    return layers.Conv2D(filters, size, strides=strides, padding='same', activation='relu',
                         name=name)(x)


def pool(x, strides):
    return layers.MaxPooling2D(3, strides=strides, padding='same')(x)


def inception(x, name):
    return layers.Concatenate()([
        conv(x, width, 1, name + '_1x1'),
        conv(conv(x, width, 1, name + '_3x3_reduce'), 2 * width, 3, name + '_3x3'),
        conv(conv(x, width, 1, name + '_5x5_reduce'), width, 5, name + '_5x5'),
        conv(pool(x, strides=1), width, 1, name + '_projection')])


def auxiliary_head(x, name):
    x = layers.AveragePooling2D(3, strides=2)(x)
    x = layers.Flatten()(conv(x, width, 1, name + '_conv'))
    return layers.Dense(10, activation='softmax', name=name)(x)


inputs = keras.Input(shape=(28, 28, 1))
x = pool(conv(inputs, width, 3, 'stem', strides=2), strides=2)
x = inception(x, 'a')
auxiliary_1 = auxiliary_head(x, 'auxiliary_1')
x = inception(x, 'b')
auxiliary_2 = auxiliary_head(x, 'auxiliary_2')
x = layers.GlobalAveragePooling2D()(inception(x, 'c'))
outputs = layers.Dense(10, activation='softmax', name='main')(x)
model = keras.Model(inputs, [outputs, auxiliary_1, auxiliary_2])

(x_train, y_train), _ = keras.datasets.fashion_mnist.load_data()
x_train = x_train.reshape(-1, 28, 28, 1) / 255.0
model.compile(optimizer='adam', loss='sparse_categorical_crossentropy',
              loss_weights=[1.0, 0.3, 0.3])
model.fit(x_train, [y_train, y_train, y_train], batch_size=8, shuffle=False)
