"""SqueezeNet 1.1 (Iandola et al. 2016): fire modules, AlexNet's accuracy with 1.2M parameters."""
from tensorflow import keras
from tensorflow.keras import layers


def fire(x, squeeze, expand):
    x = layers.Conv2D(squeeze, 1, activation='relu')(x)
    return layers.Concatenate()([
        layers.Conv2D(expand, 1, activation='relu')(x),
        layers.Conv2D(expand, 3, padding='same', activation='relu')(x)])


inputs = keras.Input(shape=(227, 227, 3))
x = layers.Conv2D(64, 3, strides=2, activation='relu')(inputs)
x = layers.MaxPooling2D(3, strides=2)(x)
x = fire(fire(x, 16, 64), 16, 64)
x = layers.MaxPooling2D(3, strides=2)(x)
x = fire(fire(x, 32, 128), 32, 128)
x = layers.MaxPooling2D(3, strides=2)(x)
x = fire(fire(x, 48, 192), 48, 192)
x = fire(fire(x, 64, 256), 64, 256)
x = layers.Dropout(0.5)(x)
x = layers.Conv2D(1000, 1, activation='relu')(x)
x = layers.GlobalAveragePooling2D()(x)
outputs = layers.Softmax()(x)

model = keras.Model(inputs, outputs, name='squeezenet')
model.compile(optimizer=keras.optimizers.SGD(learning_rate=0.04, momentum=0.9),
              loss='sparse_categorical_crossentropy', metrics=['accuracy'])
