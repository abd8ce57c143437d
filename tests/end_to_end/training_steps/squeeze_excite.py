"""Residual units that weigh their channels (Hu et al. 2018)."""
from tensorflow import keras
from tensorflow.keras import layers

width = 4


def conv_norm(x, filters, name):
    x = layers.Conv2D(filters, 3, padding='same', use_bias=False, name=name)(x)
    return layers.BatchNormalization(momentum=0.9, name=name + '_norm')(x)


def squeeze_excite(x, name):
    y = layers.GlobalAveragePooling2D()(x)
    y = layers.Dense(width // 2, activation='relu', name=name + '_squeeze')(y)
    y = layers.Dense(width, activation='sigmoid', name=name + '_excite')(y)
    return layers.Multiply()([x, layers.Reshape((1, 1, width))(y)])


def unit(x, name):
    y = layers.ReLU()(conv_norm(x, width, name + '_conv_1'))
    y = squeeze_excite(conv_norm(y, width, name + '_conv_2'), name)
    return layers.ReLU()(layers.Add()([x, y]))


inputs = keras.Input(shape=(28, 28, 1))
x = layers.MaxPooling2D(2)(layers.ReLU()(conv_norm(inputs, width, 'stem')))
x = layers.MaxPooling2D(2)(unit(x, 'unit_1'))
x = layers.GlobalAveragePooling2D()(unit(x, 'unit_2'))
outputs = layers.Dense(10, activation='softmax', name='dense')(x)
model = keras.Model(inputs, outputs)

(x_train, y_train), _ = keras.datasets.fashion_mnist.load_data()
x_train = x_train.reshape(-1, 28, 28, 1) / 255.0
model.compile(optimizer='adam', loss='sparse_categorical_crossentropy', metrics=['accuracy'])
model.fit(x_train, y_train, batch_size=8, shuffle=False)
