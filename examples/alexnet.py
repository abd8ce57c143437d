"""AlexNet in one tower, without its local response normalisation, 62,378,344 parameters."""
from tensorflow import keras
from tensorflow.keras import layers

model = keras.Sequential([
    layers.Input(shape=(227, 227, 3)),
    layers.Conv2D(96, 11, strides=4, activation='relu'),
    layers.MaxPooling2D(3, strides=2),
    layers.Conv2D(256, 5, padding='same', activation='relu'),
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
              loss='categorical_crossentropy', metrics=['accuracy'])
model.summary()
