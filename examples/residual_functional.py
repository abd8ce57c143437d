"""A small residual network in the functional API: batch normalisation, shortcuts, global pooling."""
from tensorflow import keras
from tensorflow.keras import layers


def conv_bn(x, filters, strides=1, kernel_size=3):
    x = layers.Conv2D(filters, kernel_size, strides=strides, padding='same', use_bias=False)(x)
    return layers.BatchNormalization()(x)


def residual_unit(x, filters, strides=1):
    shortcut = x
    if strides > 1:
        shortcut = conv_bn(x, filters, strides, kernel_size=1)
    x = layers.ReLU()(conv_bn(x, filters, strides))
    x = conv_bn(x, filters)
    return layers.ReLU()(layers.Add()([x, shortcut]))


(x_train, y_train), (x_test, y_test) = keras.datasets.fashion_mnist.load_data()
x_train = x_train.reshape(-1, 28, 28, 1) / 255.0
x_test = x_test.reshape(-1, 28, 28, 1) / 255.0

inputs = keras.Input(shape=(28, 28, 1))
x = layers.ReLU()(conv_bn(inputs, 16))
for filters, strides in [(16, 1), (32, 2), (64, 2)]:
    x = residual_unit(x, filters, strides)
x = layers.GlobalAveragePooling2D()(x)
outputs = layers.Dense(10, activation='softmax')(x)
model = keras.Model(inputs, outputs, name='residual')

model.compile(optimizer='adam', loss='sparse_categorical_crossentropy', metrics=['accuracy'])
model.fit(x_train, y_train, batch_size=64, epochs=10, validation_split=0.1,
          callbacks=[keras.callbacks.EarlyStopping(patience=2, restore_best_weights=True)])
model.evaluate(x_test, y_test)
