"""MobileNet (Howard et al. 2017): depthwise 3 x 3, then pointwise convolutions."""
from tensorflow import keras
from tensorflow.keras import layers


def depthwise_block(x, filters, strides=1):
    x = layers.DepthwiseConv2D(3, strides=strides, padding='same', use_bias=False)(x)
    x = layers.ReLU(6.0)(layers.BatchNormalization()(x))
    x = layers.Conv2D(filters, 1, use_bias=False)(x)
    return layers.ReLU(6.0)(layers.BatchNormalization()(x))


inputs = keras.Input(shape=(224, 224, 3))
x = layers.Conv2D(32, 3, strides=2, padding='same', use_bias=False)(inputs)
x = layers.ReLU(6.0)(layers.BatchNormalization()(x))
for filters, strides in [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1),
                         (512, 1), (512, 1), (512, 1), (512, 1), (1024, 2), (1024, 1)]:
    x = depthwise_block(x, filters, strides)
x = layers.GlobalAveragePooling2D(keepdims=True)(x)
x = layers.Dropout(0.001)(x)
x = layers.Conv2D(1000, 1)(x)
x = layers.Reshape((1000,))(x)
outputs = layers.Activation('softmax')(x)

model = keras.Model(inputs, outputs, name='mobilenet')
model.compile(optimizer=keras.optimizers.RMSprop(learning_rate=0.045, momentum=0.9),
              loss='sparse_categorical_crossentropy', metrics=['accuracy'])
