"""SE-ResNet-50 (Hu et al. 2018): bottleneck blocks that weigh their channels."""
from tensorflow import keras
from tensorflow.keras import layers


class SqueezeExcite(layers.Layer):
    """Each channel times a weight in (0, 1) that the means of all channels decide."""

    def __init__(self, ratio=16, **kwargs):
        super().__init__(**kwargs)
        self.ratio = ratio

    def build(self, input_shape):
        channels = input_shape[-1]
        self.squeeze = layers.GlobalAveragePooling2D(keepdims=True)
        self.reduce = layers.Dense(channels // self.ratio, activation='relu')
        self.expand = layers.Dense(channels, activation='sigmoid')
        super().build(input_shape)

    def call(self, inputs):
        return inputs * self.expand(self.reduce(self.squeeze(inputs)))


def conv_bn(x, filters, size, strides=1):
    x = layers.Conv2D(filters, size, strides=strides, padding='same', use_bias=False)(x)
    return layers.BatchNormalization()(x)


def bottleneck(x, filters, strides=1, project=False):
    shortcut = conv_bn(x, 4 * filters, 1, strides) if project else x
    x = layers.ReLU()(conv_bn(x, filters, 1))
    x = layers.ReLU()(conv_bn(x, filters, 3, strides))
    x = SqueezeExcite()(conv_bn(x, 4 * filters, 1))
    return layers.ReLU()(layers.Add()([shortcut, x]))


inputs = keras.Input(shape=(224, 224, 3))
x = layers.ReLU()(conv_bn(inputs, 64, 7, strides=2))
x = layers.MaxPooling2D(3, strides=2, padding='same')(x)
for filters, blocks in [(64, 3), (128, 4), (256, 6), (512, 3)]:
    for block in range(blocks):
        first = block == 0
        x = bottleneck(x, filters, strides=2 if first and filters > 64 else 1, project=first)
x = layers.GlobalAveragePooling2D()(x)
outputs = layers.Dense(1000, activation='softmax')(x)

model = keras.Model(inputs, outputs, name='se_resnet50')
model.compile(optimizer=keras.optimizers.SGD(learning_rate=0.1, momentum=0.9),
              loss='sparse_categorical_crossentropy', metrics=['accuracy'])
