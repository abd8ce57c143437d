"""DenseNet-121 (Huang et al. 2017): every layer reads all layers before it in its block."""
from tensorflow import keras
from tensorflow.keras import layers


def bn_relu(x):
    return layers.ReLU()(layers.BatchNormalization(epsilon=1.001e-5)(x))


def dense_layer(x, growth=32):
    y = layers.Conv2D(4 * growth, 1, use_bias=False)(bn_relu(x))
    y = layers.Conv2D(growth, 3, padding='same', use_bias=False)(bn_relu(y))
    return layers.Concatenate()([x, y])


def transition(x):
    x = layers.Conv2D(x.shape[-1] // 2, 1, use_bias=False)(bn_relu(x))
    return layers.AveragePooling2D(2)(x)


inputs = keras.Input(shape=(224, 224, 3))
x = layers.ZeroPadding2D(3)(inputs)
x = bn_relu(layers.Conv2D(64, 7, strides=2, use_bias=False)(x))
x = layers.ZeroPadding2D(1)(x)
x = layers.MaxPooling2D(3, strides=2)(x)
for block, count in enumerate([6, 12, 24, 16]):
    if block > 0:
        x = transition(x)
    for _ in range(count):
        x = dense_layer(x)
x = layers.GlobalAveragePooling2D()(bn_relu(x))
outputs = layers.Dense(1000, activation='softmax')(x)

model = keras.Model(inputs, outputs, name='densenet121')
model.compile(optimizer=keras.optimizers.SGD(learning_rate=0.1, momentum=0.9, nesterov=True),
              loss='sparse_categorical_crossentropy', metrics=['accuracy'])
