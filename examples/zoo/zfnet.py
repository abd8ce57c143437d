"""ZFNet (Zeiler and Fergus 2013): AlexNet with a smaller, denser first layer."""
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers


def local_response_normalization(x):
    return tf.nn.local_response_normalization(x, depth_radius=2, bias=1, alpha=2e-5, beta=0.75)


model = keras.Sequential([
    layers.Input(shape=(224, 224, 3)),
    layers.ZeroPadding2D(1),
    layers.Conv2D(96, 7, strides=2, activation='relu'),
    layers.MaxPooling2D(3, strides=2, padding='same'),
    layers.Lambda(local_response_normalization),
    layers.Conv2D(256, 5, strides=2, activation='relu'),
    layers.MaxPooling2D(3, strides=2, padding='same'),
    layers.Lambda(local_response_normalization),
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
], name='zfnet')

model.compile(optimizer=keras.optimizers.SGD(learning_rate=0.01, momentum=0.9),
              loss='sparse_categorical_crossentropy', metrics=['accuracy'])
