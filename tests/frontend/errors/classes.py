from keras import callbacks
class Stop(callbacks.EarlyStopping):  # error: a class can derive from Layer, Model, nn.Module and classes of the script, not from keras.callbacks.EarlyStopping
    pass
# -----
from keras import Model
class Net(Model):
    def train_step(self, data):
        x, y = data  # error: a train_step() of its own is not supported: the compiled program trains by compile() and fit()
# -----
from keras import layers
class Unit(layers.Layer):
    def __init__(self):
        self.dense = layers.Dense(1)  # error: self.dense is set before super().__init__() is called
unit = Unit()
# -----
from keras import layers
class Unit(layers.Layer):
    def __init__(self):
        pass
unit = Unit()  # error: Unit.__init__ does not call super().__init__()
# -----
from keras import layers
class Unit(layers.Layer):  # error: class Unit has no call(self, ...)
    pass
unit = Unit()(layers.Input(shape=(4,)))
# -----
from keras import layers
class Unit(layers.Layer):
    def call(self, x):
        return 3
unit = Unit()(layers.Input(shape=(4,)))  # error: call() of 'unit' returns 3, not a tensor
# -----
from keras import layers
class Unit(layers.Layer):
    def call(self, x, training=None):
        if training:
            x = layers.Dropout(0.5)(x)  # error: whether making a Dropout happens depends on the result of training (line 7), which is not known when compiling
        return x
unit = Unit()(layers.Input(shape=(4,)))
# -----
class Point:
    def __init__(self, x):
        self.x = x
print(Point(3).y)  # error: a Point has no attribute 'y' that a model script can use
# -----
class Point:
    pass
Point(3)  # error: Point takes no arguments
# -----
x = super()  # error: super() outside of a method
# -----
from keras import layers
class Unit(layers.Layer):
    def build(self, shape):
        self.w = self.add_weight(name='w', shape=shape)  # error: add_weight needs a shape of positive integers, got (None, 4)
    def call(self, x):
        return x * self.w
unit = Unit()(layers.Input(shape=(4,)))
