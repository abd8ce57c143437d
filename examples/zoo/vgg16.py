"""VGG-16 (Simonyan and Zisserman 2014): blocks of 3 x 3 convolutions, then three dense layers."""
from tensorflow import keras
from tensorflow.keras import layers

model = keras.Sequential(name='vgg16')
model.add(keras.Input(shape=(224, 224, 3)))
blocks = [(2, 64), (2, 128), (3, 256), (3, 512), (3, 512)]
for block, (convolutions, filters) in enumerate(blocks, start=1):
    for i in range(convolutions):
        model.add(layers.Conv2D(filters, 3, padding='same', activation='relu',
                                name=f'block{block}_conv{i + 1}'))
    model.add(layers.MaxPooling2D(2, name=f'block{block}_pool'))
model.add(layers.Flatten())
for name in ['fc1', 'fc2']:
    model.add(layers.Dense(4096, activation='relu', name=name))
    model.add(layers.Dropout(0.5))
model.add(layers.Dense(1000, activation='softmax', name='predictions'))

model.compile(optimizer=keras.optimizers.SGD(learning_rate=0.01, momentum=0.9),
              loss='sparse_categorical_crossentropy', metrics=['accuracy'])
