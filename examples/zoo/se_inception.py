"""SE-Inception (Hu et al. 2018): GoogLeNet whose every module weighs its channels."""
from tensorflow import keras
from tensorflow.keras import layers


def conv(x, filters, size, strides=1):
    return layers.Conv2D(filters, size, strides=strides, padding='same', activation='relu')(x)


def pool(x, strides=2):
    return layers.MaxPooling2D(3, strides=strides, padding='same')(x)


def squeeze_excite(x, ratio=16):
    channels = x.shape[-1]
    weights = layers.GlobalAveragePooling2D()(x)
    weights = layers.Dense(channels // ratio, activation='relu')(weights)
    weights = layers.Dense(channels, activation='sigmoid')(weights)
    weights = layers.Reshape((1, 1, channels))(weights)
    return layers.Multiply()([x, weights])


def inception(x, ones, reduce3, threes, reduce5, fives, projection):
    x = layers.Concatenate()([
        conv(x, ones, 1),
        conv(conv(x, reduce3, 1), threes, 3),
        conv(conv(x, reduce5, 1), fives, 5),
        conv(pool(x, strides=1), projection, 1)])
    return squeeze_excite(x)


inputs = keras.Input(shape=(224, 224, 3))
x = pool(conv(inputs, 64, 7, strides=2))
x = pool(conv(conv(x, 64, 1), 192, 3))
x = inception(x, 64, 96, 128, 16, 32, 32)
x = pool(inception(x, 128, 128, 192, 32, 96, 64))
x = inception(x, 192, 96, 208, 16, 48, 64)
x = inception(x, 160, 112, 224, 24, 64, 64)
x = inception(x, 128, 128, 256, 24, 64, 64)
x = inception(x, 112, 144, 288, 32, 64, 64)
x = pool(inception(x, 256, 160, 320, 32, 128, 128))
x = inception(x, 256, 160, 320, 32, 128, 128)
x = inception(x, 384, 192, 384, 48, 128, 128)
x = layers.GlobalAveragePooling2D()(x)
x = layers.Dropout(0.4)(x)
outputs = layers.Dense(1000, activation='softmax')(x)

model = keras.Model(inputs, outputs, name='se_inception')
model.compile(optimizer=keras.optimizers.SGD(learning_rate=0.01, momentum=0.9),
              loss='sparse_categorical_crossentropy', metrics=['accuracy'])
