from tensorflow import keras
model = keras.Sequential()
x = modle  # error: name 'modle' is not defined; did you mean 'model'?
# -----
x = [1, 2, 3][5]  # error: index 5 is outside a list of 3
# -----
x = {'a': 1}['b']  # error: the dict has no key 'b'
# -----
x = 1 / 0  # error: division by zero
# -----
x = 'a' + 1  # error: '+' does not apply to 'a' and 1
# -----
a, b = 1, 2, 3  # error: 3 values cannot be unpacked into 2 names
# -----
def f(n):
    return f(n + 1)  # error: calls and expressions nest more than 1000 deep
f(0)
# -----
while True:  # error: the script takes more than 100000 steps to evaluate
    pass
# -----
x = [0] * 1000000000  # error: the script takes more than 100000 steps to evaluate
# -----
x = 2 ** 64  # error: the integer result does not fit in 64 bits
# -----
def f(a, b=1):
    return a
f(1, c=2)  # error: f has no argument 'c'
# -----
def f(a, b):
    return a
f(1)  # error: f needs b
# -----
def f(a):
    return a
f(1, 2)  # error: f takes 1 positional arguments, got 2
# -----
import jax  # error: module 'jax' is not known to Sinter, which runs no Python
# -----
x = 5
x.append(1)  # error: 5 has no attribute 'append' that a model script can use
# -----
x = 5
x()  # error: 5 cannot be called
# -----
for i in 5:  # error: 5 cannot be iterated
    pass
# -----
assert 1 == 2, 'numbers'  # error: this assertion fails: numbers
# -----
raise ValueError  # error: the script raises an exception here
# -----
x = int('three')  # error: 'three' is no integer
# -----
x = '%d' % 'a'  # error: the format 'd' does not apply to 'a'
