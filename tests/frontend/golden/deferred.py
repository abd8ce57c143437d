# No input shape: the model is built from the data that it is fit on. Labels are one-hot, the
# validation samples the tail of the training samples, the pixels scaled to [-1, 1].
from tensorflow.keras.datasets import mnist
from tensorflow.keras.layers import *
from tensorflow.keras.models import Sequential
from tensorflow.keras.optimizers import SGD
from tensorflow.keras.utils import to_categorical

(x_train, y_train), (x_test, y_test) = mnist.load_data()
x_train, x_test = [(x.astype('float32') - 127.5) / 127.5 for x in (x_train, x_test)]
y_train, y_test = map(to_categorical, [y_train, y_test])
model = Sequential([
    Reshape((28, 28, 1)),
    *[layer for filters in (2, 4) for layer in (Conv2D(filters, (3, 3), strides=(2, 2)), ReLU(max_value=6.0))],
    ZeroPadding2D(((1, 0), (0, 1))),
    Permute((3, 1, 2)),
    Flatten(),
    Dense(10, kernel_initializer='lecun_uniform', bias_initializer='ones', use_bias=True),
    Softmax(),
])
model.compile(SGD(0.1, momentum=0.9, nesterov=True), 'categorical_crossentropy', ['acc'])
model.fit(x_train[:5000], y_train[:5000], 100, 3, validation_split=0.1, shuffle=False)
model.evaluate(x_test[:1000], y_test[:1000])
