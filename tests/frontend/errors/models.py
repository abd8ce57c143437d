x = 1  # error: the script builds no model
# -----
from keras import Sequential, layers
model = Sequential([layers.Dense(10)])  # error: the input shape of model 'sequential' is not known: start it with keras.Input(shape=...) or fit it
# -----
from keras import Sequential, layers
model = Sequential()
model.add(layers.Input(shape=(28, 28, 1)))
model.add(layers.Dense(10, name='a'))
model.add(layers.Dense(10, name='a'))  # error: two layers of model 'sequential' are named 'a'
# -----
from keras import Sequential, layers
model = Sequential([
    layers.Input(shape=(28, 28, 1)),
    layers.Flatten(),
    layers.Conv2D(8, 3),  # error: Conv2D 'conv2d' expects images [N,height,width,channels], got [N,784]
])
# -----
from keras import Sequential, layers
model = Sequential([layers.Input(shape=(28, 28, 1)), 'relu'])  # error: a Sequential model consists of layers, got 'relu'
# -----
from keras import Model, layers
a = layers.Input(shape=(4,))
b = layers.Input(shape=(4,))
model = Model(a, layers.Dense(2)(b))  # error: the model's output depends on the input 'input_layer_1', which is not among its inputs
# -----
from keras import Model, layers
a = layers.Input(shape=(4,))
b = layers.Input(shape=(4,))
model = Model([a, b], layers.Dense(2)(a))  # error: the model's outputs do not depend on its input 'input_layer_1'
# -----
from keras import Sequential, layers
model = Sequential([layers.Input(shape=(4,)), layers.Dense(3, activation='softmax')])
model.compile(optimizer='adamm', loss='mse')  # error: unknown optimizer 'adamm'; did you mean 'Adam'?
# -----
from keras import Sequential, layers
model = Sequential([layers.Input(shape=(4,)), layers.Dense(3, activation='softmax')])
model.compile(loss='categorical_crossentropi')  # error: unknown loss 'categorical_crossentropi'; did you mean 'categorical_crossentropy'?
# -----
from keras import Sequential, layers
model = Sequential([layers.Input(shape=(4,)), layers.Dense(3, activation='softmax')])
model.compile(loss='mse', metrics=['acuracy'])  # error: unknown metric 'acuracy'; did you mean 'accuracy'?
# -----
from keras import Sequential, layers, optimizers
model = Sequential([layers.Input(shape=(4,)), layers.Dense(3, activation='softmax')])
model.compile(optimizers.Adam(learning_rate=optimizers.schedules.CosineDecayRestarts(1e-3, 10)), loss='mse')  # error: keras.optimizers.schedules.CosineDecayRestarts is not supported
# -----
from keras import Sequential, layers, optimizers
model = Sequential([layers.Input(shape=(4,)), layers.Dense(3, activation='softmax')])
model.compile(optimizers.Adam(learning_rate='fast'), loss='mse')  # error: Adam: learning_rate must be a number or a schedule, got 'fast'
# -----
from keras import Sequential, layers, optimizers
model = Sequential([layers.Input(shape=(4,)), layers.Dense(3, activation='softmax')])
model.compile(optimizers.Adam(amsgrad=True), loss='mse')  # error: Adam does not support amsgrad=True yet
# -----
import numpy as np
from keras import Sequential, layers
model = Sequential()
model.add(layers.Input(shape=(4,)))
if np.random.rand() > 0.5:
    model.add(layers.Dense(3))  # error: whether making a Dense happens depends on the result of numpy.random.rand (line 5), which is not known when compiling
# -----
import numpy as np
from keras import layers
layers.Dense(np.prod([2, 3]))  # error: the result of numpy.prod is not known when compiling, but it decides units of Dense
# -----
from keras import models
model = models.load_model('other.keras')  # error: load_model('other.keras'): this script saves no such file; compile the saved model itself instead
# -----
from keras import Model, layers
a = layers.Input(shape=(4,))
model = Model(a, [layers.Dense(2, name='b')(a), layers.Dense(3, name='c')(a)])
model.compile('sgd', loss={'d': 'mse'})  # error: compile: loss has no output 'd' to take
# -----
from keras import Model, layers
a = layers.Input(shape=(4,))
model = Model(a, [layers.Dense(2, name='b')(a), layers.Dense(3, name='c')(a)])
model.compile('sgd', loss='mse', loss_weights=[1])  # error: compile: loss_weights has 1 items, the model 2 outputs
# -----
from torch import nn
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 3), nn.ReLU())
    def forward(self, x):
        return self.layers(x)
net = Net()  # error: the input shape of module 'net' is not known: call it on an example, model(torch.zeros(1, 3, 32, 32))
# -----
from torch import nn
model = nn.Sequential(nn.Linear(4, 3))  # error: the input shape of module 'sequential' is not known: call it on an example, model(torch.zeros(1, 3, 32, 32))
