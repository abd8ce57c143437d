# Frozen layers, a binary output and the metrics that Keras chooses for it.
from keras import Sequential, layers, optimizers

model = Sequential(name='detector')
model.add(layers.InputLayer(input_shape=(6, 6, 3)))
model.add(layers.Rescaling(1 / 127.5, offset=-1))
model.add(layers.Conv2D(2, 3, trainable=False, name='features'))
model.add(layers.GlobalMaxPooling2D())
model.add(layers.Dense(4, activation=None, input_dim=2))
model.pop()
model.add(layers.Dense(1, activation='sigmoid'))
model.compile(optimizers.Adam(lr=0.01, beta_1=0.8), loss='binary_crossentropy', metrics=['accuracy'])
