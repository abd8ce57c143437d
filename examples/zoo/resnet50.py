"""ResNet-50 (He et al. 2015) of bottleneck blocks, as in keras.applications."""
from tensorflow import keras
from tensorflow.keras import layers


def conv_bn(x, filters, size, strides=1, padding='valid'):
    x = layers.Conv2D(filters, size, strides=strides, padding=padding)(x)
    return layers.BatchNormalization(epsilon=1.001e-5)(x)


def bottleneck(x, filters, strides=1, project=False):
    """1 x 1 down, 3 x 3, 1 x 1 up to four times the filters."""
    shortcut = conv_bn(x, 4 * filters, 1, strides) if project else x
    x = layers.ReLU()(conv_bn(x, filters, 1, strides))
    x = layers.ReLU()(conv_bn(x, filters, 3, padding='same'))
    x = conv_bn(x, 4 * filters, 1)
    return layers.ReLU()(layers.Add()([shortcut, x]))


inputs = keras.Input(shape=(224, 224, 3))
x = layers.ZeroPadding2D(3)(inputs)
x = layers.ReLU()(conv_bn(x, 64, 7, strides=2))
x = layers.ZeroPadding2D(1)(x)
x = layers.MaxPooling2D(3, strides=2)(x)
for filters, blocks in [(64, 3), (128, 4), (256, 6), (512, 3)]:
    for block in range(blocks):
        first = block == 0
        x = bottleneck(x, filters, strides=2 if first and filters > 64 else 1, project=first)
x = layers.GlobalAveragePooling2D()(x)
outputs = layers.Dense(1000, activation='softmax')(x)

model = keras.Model(inputs, outputs, name='resnet50')
model.compile(optimizer=keras.optimizers.SGD(learning_rate=0.1, momentum=0.9),
              loss='sparse_categorical_crossentropy', metrics=['accuracy'])
