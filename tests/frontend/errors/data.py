from tensorflow import keras
(x, y), (xt, yt) = keras.datasets.fashion_mnist.load_data()
model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(10, activation='softmax')])
model.fit(x, y)  # error: model 'sequential' must be compiled before fit()
# -----
from tensorflow import keras
(x, y), (xt, yt) = keras.datasets.fashion_mnist.load_data()
model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(10, activation='softmax')])
model.compile(loss='sparse_categorical_crossentropy')
model.fit(x[:100], y)  # error: fit gets 100 samples and 60000 labels
# -----
from tensorflow import keras
(x, y), (xt, yt) = keras.datasets.fashion_mnist.load_data()
model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(10, activation='softmax')])
model.compile(loss='sparse_categorical_crossentropy')
model.fit(x[:100], y[100:200])  # error: fit gets samples (picked on line 5) and labels (picked on line 5) that do not belong together
# -----
from tensorflow import keras
(x, y), (xt, yt) = keras.datasets.fashion_mnist.load_data()
x = x / 255.0
model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(10, activation='softmax')])
model.compile(loss='sparse_categorical_crossentropy')
model.fit(x, y, validation_split=0.1)
model.evaluate(xt, yt)  # error: the samples here are scaled as x (line 2), those of line 6 as x / 255 (line 3)
# -----
from tensorflow import keras
(x, y), (xt, yt) = keras.datasets.fashion_mnist.load_data()
model = keras.Sequential([keras.layers.Input(shape=(32, 32)), keras.layers.Flatten(), keras.layers.Dense(10)])
model.compile(loss='sparse_categorical_crossentropy')
model.fit(x, y)  # error: model 'sequential' expects samples of shape (32, 32), got (28, 28) (line 2)
# -----
from tensorflow import keras
(x, y), (xt, yt) = keras.datasets.fashion_mnist.load_data()
model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(10, activation='softmax')])
model.compile(loss='categorical_crossentropy')
model.fit(x, y)  # error: the loss expects labels of 10 values a sample (keras.utils.to_categorical), got labels (60000,) (line 2)
# -----
from tensorflow import keras
(x, y), (xt, yt) = keras.datasets.fashion_mnist.load_data()
y = keras.utils.to_categorical(y)
model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(10, activation='softmax')])
model.compile(loss='sparse_categorical_crossentropy')
model.fit(x, y)  # error: the loss expects labels as class numbers, got labels (60000, 10) (line 3)
# -----
from tensorflow import keras
(x, y), (xt, yt) = keras.datasets.fashion_mnist.load_data()
model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(5, activation='softmax')])
model.compile(loss='sparse_categorical_crossentropy')
model.fit(x, y)  # error: the model tells 5 classes apart, fashion_mnist has 10
# -----
from tensorflow import keras
(x, y), (xt, yt) = keras.datasets.fashion_mnist.load_data()
model = keras.Sequential([keras.layers.Dense(10, activation='softmax')])
model.compile(loss='sparse_categorical_crossentropy')
model.fit(x, y)  # error: the model predicts [N,28,10], but there is one label a sample: is a Flatten missing?
# -----
from tensorflow import keras
(x, y), (xt, yt) = keras.datasets.fashion_mnist.load_data()
x = x - 128  # error: '-' on bytes wraps around at 256 in NumPy; write astype('float32') first
# -----
import numpy as np
from tensorflow import keras
(x, y), (xt, yt) = keras.datasets.fashion_mnist.load_data()
x = (x - np.mean(x)) / 255  # error: the result of numpy.mean is not known when compiling, but it decides the samples of fit on line 6
model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(10)])
model.compile(loss='sparse_categorical_crossentropy'); model.fit(x, y)
# -----
import numpy as np
from tensorflow import keras
(x, y), (xt, yt) = keras.datasets.fashion_mnist.load_data()
np.random.shuffle(x)  # error: numpy.random.shuffle changes images (60000, 28, 28), which is not supported
# -----
from tensorflow import keras
(x, y), (xt, yt) = keras.datasets.fashion_mnist.load_data()
x = x.reshape(-1, 28, 29)  # error: images (60000, 28, 28) with 47040000 values cannot be reshaped to (-1, 28, 29)
# -----
from sklearn.model_selection import train_test_split
from tensorflow import keras
(x, y), (xt, yt) = keras.datasets.fashion_mnist.load_data()
train_test_split(x, y, test_size=1.5)  # error: test_size must be a fraction between 0 and 1 or a count below 60000, got 1.5
# -----
from sklearn.model_selection import train_test_split
from tensorflow import keras
(x, y), (xt, yt) = keras.datasets.fashion_mnist.load_data()
train_test_split(x, y, stratify=y)  # error: train_test_split does not support stratify=labels (60000,) yet
# -----
from tensorflow import keras
keras.datasets.cifar10.load_data()  # error: keras.datasets.cifar10.load_data is not supported
# -----
from tensorflow import keras
(x, y), (xt, yt) = keras.datasets.fashion_mnist.load_data()
model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(10)])
model.compile(loss='sparse_categorical_crossentropy')
model.fit(x, y, batch_size=0)  # error: fit: batch_size must be a positive integer of at most 2147483647, got 0
# -----
from tensorflow import keras
(x, y), (xt, yt) = keras.datasets.fashion_mnist.load_data()
model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(10)])
model.compile(loss='sparse_categorical_crossentropy')
model.fit(x, y, validation_split=0.1, callbacks=[keras.callbacks.EarlyStopping(monitor='val_acc')])  # error: EarlyStopping monitors 'val_acc', which is none of the model's: loss
# -----
from tensorflow import keras
(x, y), (xt, yt) = keras.datasets.fashion_mnist.load_data()
model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(10)])
model.compile(loss='sparse_categorical_crossentropy')
model.fit(x, y, class_weight={0: 2.0})  # error: fit does not support class_weight={0: 2.0} yet
