"""U-Net (Ronneberger et al. 2015): a mask for an image, at the image's own resolution."""
from tensorflow import keras
from tensorflow.keras import layers


def double_conv(x, filters):
    for _ in range(2):
        x = layers.Conv2D(filters, 3, padding='same', activation='relu',
                          kernel_initializer='he_normal')(x)
    return x


inputs = keras.Input(shape=(256, 256, 1))
x = inputs
skips = []
for filters in [64, 128, 256, 512]:
    x = double_conv(x, filters)
    skips.append(x)
    x = layers.MaxPooling2D(2)(x)
x = layers.Dropout(0.5)(double_conv(x, 1024))
for filters, skip in zip([512, 256, 128, 64], reversed(skips)):
    x = layers.Conv2DTranspose(filters, 2, strides=2, activation='relu',
                               kernel_initializer='he_normal')(x)
    x = layers.Concatenate()([skip, x])
    x = double_conv(x, filters)
outputs = layers.Conv2D(1, 1, activation='sigmoid')(x)

model = keras.Model(inputs, outputs, name='unet')
model.compile(optimizer=keras.optimizers.Adam(learning_rate=1e-4), loss='binary_crossentropy',
              metrics=['accuracy'])
