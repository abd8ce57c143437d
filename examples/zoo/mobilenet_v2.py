"""MobileNetV2 (Sandler et al. 2018): inverted residuals with linear bottlenecks."""
from tensorflow import keras
from tensorflow.keras import layers


def batch_norm(x):
    return layers.BatchNormalization(epsilon=1e-3, momentum=0.999)(x)


def inverted_residual(inputs, filters, strides, expansion):
    """1 x 1 up, depthwise 3 x 3, 1 x 1 down without activation."""
    channels = inputs.shape[-1]
    x = inputs
    if expansion > 1:
        x = layers.Conv2D(expansion * channels, 1, use_bias=False)(x)
        x = layers.ReLU(6.0)(batch_norm(x))
    x = layers.DepthwiseConv2D(3, strides=strides, padding='same', use_bias=False)(x)
    x = layers.ReLU(6.0)(batch_norm(x))
    x = batch_norm(layers.Conv2D(filters, 1, use_bias=False)(x))
    if channels == filters and strides == 1:
        x = layers.Add()([inputs, x])
    return x


inputs = keras.Input(shape=(224, 224, 3))
x = layers.Conv2D(32, 3, strides=2, padding='same', use_bias=False)(inputs)
x = layers.ReLU(6.0)(batch_norm(x))
for expansion, filters, repeats, strides in [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2),
                                             (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2),
                                             (6, 320, 1, 1)]:
    for i in range(repeats):
        x = inverted_residual(x, filters, strides if i == 0 else 1, expansion)
x = layers.Conv2D(1280, 1, use_bias=False)(x)
x = layers.ReLU(6.0)(batch_norm(x))
x = layers.GlobalAveragePooling2D()(x)
outputs = layers.Dense(1000, activation='softmax')(x)

model = keras.Model(inputs, outputs, name='mobilenet_v2')
model.compile(optimizer=keras.optimizers.RMSprop(learning_rate=0.045, momentum=0.9),
              loss='sparse_categorical_crossentropy', metrics=['accuracy'])
