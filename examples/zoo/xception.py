"""Xception (Chollet 2017): 34 depthwise-separable convolutions with residual connections."""
from tensorflow import keras
from tensorflow.keras import layers


def conv_bn(x, filters, size, strides=1, padding='valid'):
    x = layers.Conv2D(filters, size, strides=strides, padding=padding, use_bias=False)(x)
    return layers.BatchNormalization()(x)


def separable_bn(x, filters):
    x = layers.SeparableConv2D(filters, 3, padding='same', use_bias=False)(x)
    return layers.BatchNormalization()(x)


def downsampling(x, filters, first_relu=True):
    """Two separable convolutions at half the resolution, beside a strided 1 x 1 convolution."""
    residual = conv_bn(x, filters[-1], 1, strides=2, padding='same')
    for i, count in enumerate(filters):
        if i > 0 or first_relu:
            x = layers.ReLU()(x)
        x = separable_bn(x, count)
    x = layers.MaxPooling2D(3, strides=2, padding='same')(x)
    return layers.Add()([x, residual])


inputs = keras.Input(shape=(299, 299, 3))
x = layers.ReLU()(conv_bn(inputs, 32, 3, strides=2))
x = layers.ReLU()(conv_bn(x, 64, 3))
x = downsampling(x, [128, 128], first_relu=False)
x = downsampling(x, [256, 256])
x = downsampling(x, [728, 728])
for _ in range(8):
    residual = x
    for _ in range(3):
        x = separable_bn(layers.ReLU()(x), 728)
    x = layers.Add()([x, residual])
x = downsampling(x, [728, 1024])
for filters in [1536, 2048]:
    x = layers.ReLU()(separable_bn(x, filters))
x = layers.GlobalAveragePooling2D()(x)
outputs = layers.Dense(1000, activation='softmax')(x)

model = keras.Model(inputs, outputs, name='xception')
model.compile(optimizer=keras.optimizers.SGD(learning_rate=0.045, momentum=0.9),
              loss='sparse_categorical_crossentropy', metrics=['accuracy'])
