x = (1, 2  # error: this bracket is never closed with ')'
# -----
x = [1, 2)  # error: ')' closes a bracket that expects ']'
# -----
x = 1 +  # error: expected an expression, got the end of the line
# -----
x = 'abc  # error: this string never ends
# -----
x = 012  # error: the integer 012 must not start with 0
# -----
x = 99999999999999999999  # error: the integer 99999999999999999999 does not fit in 64 bits
# -----
x = 3px  # error: '3p' is not a number
# -----
x = b'abc'  # error: byte strings are not supported in a model script
# -----
if True:
x = 1  # error: expected an indented block, got 'x'
# -----
x = 1
  y = 2  # error: this line is indented deeper than its block
# -----
if True:
    x = 1
  y = 2  # error: this indentation matches no outer block
# -----
try:  # error: 'try' is not supported in a model script: what would fail is an error
    x = 1
except ImportError:
    x = 2
# -----
with [1]:  # error: 'with [1]' is not supported
    pass
# -----
@decorator  # error: name 'decorator' is not defined
def f():
    pass
# -----
def f():
    global x  # error: assigning to an outer variable is not supported in a model script: return the value
# -----
x = {1, 2}  # error: sets are not supported in a model script
# -----
x = yield  # error: 'yield' is not supported in a model script
# -----
return 1  # error: 'return' outside a function
# -----
break  # error: 'break' outside a loop
# -----
def f():
    for i in []:
        def g():
            continue  # error: 'continue' outside a loop
# -----
f(a=1, 2)  # error: a positional argument follows a keyword argument
# -----
1 = x  # error: this expression cannot be assigned to
# -----
a, *b, *c = [1, 2]  # error: two starred names in one assignment
# -----
x = f'{1'  # error: a '{' in this f-string is never closed
# -----
def f(a, a):  # error: two parameters named 'a'
    pass
# -----
x = 1 $ 2  # error: '$' means nothing here
# -----
from . import layers  # error: relative imports are not supported in a model script
# -----
if (y := 3) > 2:  # error: ':=' is not supported in a model script
    pass
# -----
x = ((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((1))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))  # error: expressions or blocks nest more than 150 deep
