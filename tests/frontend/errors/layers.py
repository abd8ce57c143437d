from tensorflow import keras
keras.layers.Conv3D(1, 3)  # error: unknown layer 'Conv3D'; did you mean 'Conv1D'?
# -----
from tensorflow.keras.layers import Dens
Dens(10)  # error: unknown layer 'Dens'; did you mean 'Dense'?
# -----
from tensorflow import keras
keras.layers.Bidirectional(1)  # error: unknown layer 'Bidirectional'
# -----
from keras import layers
layers.Conv2D(32, kernal_size=3)  # error: Conv2D has no argument 'kernal_size'; did you mean 'kernel_size'?
# -----
from keras import layers
layers.Conv2D(kernel_size=3)  # error: Conv2D needs filters
# -----
from keras import layers
layers.Conv2D(-32, 3)  # error: Conv2D: filters must be a positive integer of at most 2147483647, got -32
# -----
from keras import layers
layers.Conv2D(32.0, 3)  # error: Conv2D: filters must be a positive integer of at most 2147483647, got 32.0
# -----
from keras import layers
layers.Conv2D(32, 0)  # error: Conv2D: kernel_size must be a positive integer or two of them, got 0
# -----
from keras import layers
layers.Conv2D(32, (3, 3, 3))  # error: Conv2D: kernel_size must be a positive integer or two of them, got (3, 3, 3)
# -----
from keras import layers
layers.Conv2D(32, 3, padding='full')  # error: Conv2D: padding must be 'valid' or 'same', got 'full'
# -----
from keras import layers
layers.Conv2D(32, 3, activation='rel')  # error: keras.activations.rel is not supported; did you mean 'relu'?
# -----
from keras import layers
layers.Conv2D(32, 3, kernel_initializer='he')  # error: unknown initializer 'he'
# -----
from keras import layers
layers.Dense(10, kernel_regularizer='l3')  # error: unknown regularizer 'l3'
# -----
from keras import layers
layers.Dense(10, kernel_constraint='max_nurm')  # error: unknown constraint 'max_nurm'
# -----
from keras import layers
layers.Dropout(1.5)  # error: Dropout: rate must be a number of at least 0 and below 1, got 1.5
# -----
from keras import layers
layers.Dense(10, units=5)  # error: Dense got units twice
# -----
from keras import layers
layers.Dense(1, 'relu', True, 'zeros', 'zeros', None, None, None, None, None, None, True, None, None, None, None, 3)  # error: Dense takes at most 16 positional arguments, got 17
# -----
from keras import layers
layers.Dense(10, dtype='float16')  # error: Dense does not support dtype='float16' yet
# -----
from keras import layers
layers.Input(shape=(28, 0))  # error: an input shape must have positive extents, got (28, 0)
# -----
from keras import layers
layers.Input(shape=(2147483647, 2147483647, 3))  # error: the input shape [N,2147483647,2147483647,3] has more than 2147483647 elements
# -----
from keras import layers
x = layers.Input(shape=(100, 100, 3))
layers.Dense(2147483647)(layers.Flatten()(x))  # error: Dense 'dense' needs kernel of shape [30000,2147483647], beyond the limit of 2147483647 elements
# -----
from keras import layers
x = layers.Input(shape=(28, 28, 1))
layers.Conv2D(8, 30)(x)  # error: Conv2D 'conv2d' has a kernel of 30 x 30, larger than its input [N,28,28,1]
# -----
from keras import layers
x = layers.Input(shape=(28, 28))
layers.Conv2D(8, 3)(x)  # error: Conv2D 'conv2d' expects images [N,height,width,channels], got [N,28,28]
# -----
from keras import layers
x = layers.Input(shape=(28, 28, 3))
layers.Conv2D(8, 3, groups=2)(x)  # error: Conv2D 'conv2d' cannot split 3 input channels and 8 filters into 2 groups
# -----
from keras import layers
x = layers.Input(shape=(4, 4, 3))
layers.MaxPooling2D(5)(x)  # error: MaxPooling2D 'max_pooling2d' has a window of 5 x 5, larger than its input [N,4,4,3]
# -----
from keras import layers
a = layers.Input(shape=(4, 4, 3))
b = layers.Input(shape=(4, 4, 2))
layers.Add()([a, b])  # error: Add 'add' cannot combine inputs of shapes [N,4,4,3] and [N,4,4,2]
# -----
from keras import layers
a = layers.Input(shape=(4, 4, 3))
layers.Add()(a)  # error: Add 'add' expects at least 2 inputs, got 1
# -----
from keras import layers
a = layers.Input(shape=(4, 4, 3))
b = layers.Input(shape=(4, 5, 3))
layers.Concatenate()([a, b])  # error: Concatenate 'concatenate' cannot join inputs of shapes [N,4,4,3] and [N,4,5,3] along axis 3
# -----
from keras import layers
x = layers.Input(shape=(4, 4, 3))
layers.Reshape((5, 5))(x)  # error: Reshape 'reshape' cannot reshape 48 values to (5, 5)
# -----
from keras import layers
x = layers.Input(shape=(4, 4, 3))
layers.Permute((1, 2))(x)  # error: Permute 'permute' needs dims that permute 1 to 3, got (1, 2)
# -----
from keras import layers
dense = layers.Dense(10)
dense(layers.Input(shape=(4,)))
dense(layers.Input(shape=(5,)))  # error: Dense 'dense' was built with kernel of shape [4,10], this call needs [5,10]
# -----
from keras import layers
x = layers.Input(shape=(4, 4, 3))
layers.BatchNormalization(axis=0)(x)  # error: BatchNormalization 'batch_normalization' along axis 0 is not supported for an input [N,4,4,3]
# -----
from keras import layers
layers.Dense(10)([1, 2])  # error: 'dense' can be called on tensors only, got 1
# -----
from keras import layers
layers.Conv2D(8, 3, data_format='channels_last_')  # error: Conv2D: data_format must be 'channels_last' or 'channels_first', got 'channels_last_'
