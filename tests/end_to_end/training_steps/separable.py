"""Xception's residual module: separable convolutions and batch normalisation."""
from tensorflow import keras
from tensorflow.keras import layers

width = 3


def norm(x, name):
    return layers.BatchNormalization(name=name + '_norm')(x)


def separable(x, filters, name):
    x = layers.SeparableConv2D(filters, 3, padding='same', use_bias=False, name=name)(x)
    return norm(x, name)


inputs = keras.Input(shape=(28, 28, 1))
x = layers.Conv2D(width, 3, strides=2, padding='same', use_bias=False, name='stem')(inputs)
x = layers.ReLU()(norm(x, 'stem'))
shortcut = norm(layers.Conv2D(2 * width, 1, strides=2, use_bias=False, name='shortcut')(x),
                'shortcut')
x = layers.ReLU()(separable(x, 2 * width, 'separable_1'))
x = separable(x, 2 * width, 'separable_2')
x = layers.MaxPooling2D(3, strides=2, padding='same')(x)
x = layers.ReLU()(layers.Add()([x, shortcut]))
x = layers.ReLU()(separable(x, 3 * width, 'separable_3'))
x = layers.GlobalAveragePooling2D()(x)
outputs = layers.Dense(10, activation='softmax', name='dense')(x)
model = keras.Model(inputs, outputs)

(x_train, y_train), _ = keras.datasets.fashion_mnist.load_data()
x_train = x_train.reshape(-1, 28, 28, 1) / 255.0
model.compile(optimizer='adam', loss='sparse_categorical_crossentropy', metrics=['accuracy'])
model.fit(x_train, y_train, batch_size=8, shuffle=False)
