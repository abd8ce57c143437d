// The language itself: each snippet computes `x`, which then is a layer's name.
#include "tests/frontend/support.h"

#include <doctest/doctest.h>

using namespace sinter;

namespace {

/// str(x) after running the code.
std::string value_of(const std::string &code) {
  const Model model = load(code + R"(
from keras import Sequential, layers
model = Sequential([layers.Input(shape=(2,)), layers.Dense(1, name='value ' + str(x))])
)");
  return model.layers.at(0).name.substr(6);
}

/// str() of an expression.
std::string value(const std::string &expression) { return value_of("x = " + expression); }

} // namespace

TEST_CASE("numbers follow Python") {
  CHECK(value("7 // 2") == "3");
  CHECK(value("-7 // 2") == "-4");
  CHECK(value("-7 % 3") == "2");
  CHECK(value("7 % -3") == "-2");
  CHECK(value("7 / 2") == "3.5");
  CHECK(value("6 / 2") == "3.0");
  CHECK(value("-2 ** 2") == "-4");
  CHECK(value("2 ** 3 ** 2") == "512");
  CHECK(value("2 ** -1") == "0.5");
  CHECK(value("1e-3") == "0.001");
  CHECK(value("1e22") == "1e+22");
  CHECK(value("0.1 + 0.2") == "0.30000000000000004");
  CHECK(value("7.5 // 2") == "3.0");
  CHECK(value("-7.5 % 2") == "0.5");
  CHECK(value("True + 1") == "2");
  CHECK(value("5 & 6 | 8 ^ 3") == "15");
  CHECK(value("1 << 4 >> 1") == "8");
  CHECK(value("~5") == "-6");
  CHECK(value("round(2.5)") == "2");
  CHECK(value("round(3.14159, 2)") == "3.14");
  CHECK(value("int(-3.7), int('12'), float('1.5')") == "(-3, 12, 1.5)");
  CHECK(value_of("import math\nx = math.ceil(math.sqrt(10)) + math.floor(math.pi)") == "7");
}

TEST_CASE("comparisons and conditions follow Python") {
  CHECK(value("1 < 2 < 3") == "True");
  CHECK(value("1 < 3 < 2") == "False");
  CHECK(value("[1, 2] < [1, 3]") == "True");
  CHECK(value("'b' > 'abc'") == "True");
  CHECK(value("1 == 1.0 and not 2 != 2") == "True");
  CHECK(value("0 or 'else'") == "else");
  CHECK(value("[] and 1") == "[]");
  CHECK(value("'a' if [] else 'b'") == "b");
  CHECK(value("None is None and 2 not in [1, 3] and 'b' in 'abc' and 1 in {1: 2}") == "True");
  CHECK(value("[] is []") == "False");
  CHECK(value("isinstance(1, int) and isinstance([1], (tuple, list)) and not isinstance(1, str)") ==
        "True");
}

TEST_CASE("sequences follow Python") {
  CHECK(value("[1] * 2 + [3]") == "[1, 1, 3]");
  CHECK(value("(1,) + (2,)") == "(1, 2)");
  CHECK(value("[1, *[2, 3], 4]") == "[1, 2, 3, 4]");
  CHECK(value("[1, 2, 3, 4][1:3]") == "[2, 3]");
  CHECK(value("[1, 2, 3, 4][-2:]") == "[3, 4]");
  CHECK(value("[1, 2, 3, 4][::2]") == "[1, 3]");
  CHECK(value("[1, 2, 3, 4][::-1]") == "[4, 3, 2, 1]");
  CHECK(value("'abcdef'[1:-1:2]") == "bd");
  CHECK(value("[i * i for i in range(5) if i % 2 if i > 1]") == "[9]");
  CHECK(value("[(i, j) for i in range(2) for j in 'ab']") ==
        "[(0, 'a'), (0, 'b'), (1, 'a'), (1, 'b')]");
  CHECK(value("{k: v for k, v in zip('ab', [1, 2])}") == "{'a': 1, 'b': 2}");
  CHECK(value("sum(i for i in range(4))") == "6");
  CHECK(value("list(enumerate('ab', 1))") == "[(1, 'a'), (2, 'b')]");
  CHECK(value("list(range(5, 0, -2))") == "[5, 3, 1]");
  CHECK(value("sorted([3, 1, 2], reverse=True)") == "[3, 2, 1]");
  CHECK(value("sorted(['bb', 'a'], key=len)") == "['a', 'bb']");
  CHECK(value("list(reversed([1, 2])), min(3, 1), max([1, 4])") == "([2, 1], 1, 4)");
  CHECK(value("any([0, 1]), all([0, 1])") == "(True, False)");
  CHECK(value("dict(a=1, **{'b': 2})") == "{'a': 1, 'b': 2}");
  CHECK(value("{'a': 1, **{'a': 2}}['a']") == "2");
  CHECK(value("{'a': 1}.get('b', 3), list({'a': 1}.items())") == "(3, [('a', 1)])");
  CHECK(value("list(map(lambda v: v + 1, [1, 2]))") == "[2, 3]");
}

TEST_CASE("texts follow Python") {
  CHECK(value("'a' 'b' + 'c' * 2") == "abcc");
  CHECK(value("f'{1 + 1}-{\"s\"!r}-{3.14159:.2f}-{7:03d}-{{}}'") == "2-'s'-3.14-007-{}");
  CHECK(value("f'{\"a\":>3}|{\"a\":<3}|{\"a\":^3}|{1234567:,}|{0.5:%}'") ==
        "  a|a  | a |1,234,567|50.000000%");
  CHECK(value_of("rate = 0.25\nx = f'{rate=} {rate = :.3f} {\"a\"=!s} {1 == 2}'\n") ==
        "rate=0.25 rate = 0.250 \"a\"=a False");
  CHECK(value("'%s_%02d_%.1f' % ('a', 3, 2.25)") == "a_03_2.2");
  CHECK(value("'{}_{:02d}_{name}'.format('a', 3, name='n')") == "a_03_n");
  CHECK(value("'-'.join(['a', 'b']).upper().split('-')") == "['A', 'B']");
  CHECK(value("'Conv2D'.lower().startswith('conv')") == "True");
  CHECK(value_of("import os\nx = os.path.join('a', 'b/', 'c'), os.path.join('a', '/b')") ==
        "('a/b/c', '/b')");
  CHECK(value("'''a'''\"b\"") == "ab");
}

TEST_CASE("assignment unpacks, chains and works in place") {
  CHECK(value_of("a, (b, *c), d = 1, (2, 3, 4), 5\nx = [a, b, c, d]") == "[1, 2, [3, 4], 5]");
  CHECK(value_of("a = b = [1]\na += [2]\nx = b") == "[1, 2]");
  CHECK(value_of("a = b = (1,)\na += (2,)\nx = b") == "(1,)");
  CHECK(value_of("a, b = 1, 2\na, b = b, a\nx = a, b") == "(2, 1)");
  CHECK(value_of("d = {}\nd['a'] = 1\nd['a'] *= 5\nx = d") == "{'a': 5}");
  CHECK(value_of("l = [1, 2]\nl[-1] = 3\nl.append(4)\nl.insert(0, 0)\nx = l, l.pop()") ==
        "([0, 1, 3], 4)");
  CHECK(value_of("x: int = 3") == "3");
  CHECK(value_of("x = 2\nx **= 3; x -= 1") == "7");
  CHECK(value_of("x = 1\ndel x\nx = 2") == "2");
}

TEST_CASE("loops and branches follow Python") {
  CHECK(
      value_of("x = 0\nfor i in range(10):\n  if i == 3: continue\n  if i == 6: break\n  x += i") ==
      "12");
  CHECK(value_of("for i in []:\n  pass\nelse:\n  x = 'else'") == "else");
  CHECK(value_of("x = 'broken'\nfor i in [1]:\n  break\nelse:\n  x = 'else'") == "broken");
  CHECK(value_of("x = 1\nwhile x < 100:\n  x *= 3\nelse:\n  x = -x") == "-243");
  CHECK(value_of("if 0:\n  x = 1\nelif 1:\n  x = 2\nelse:\n  x = 3") == "2");
  CHECK(value_of("if __name__ == '__main__':\n    x = 'main'") == "main");
}

TEST_CASE("functions follow Python") {
  CHECK(value_of("def f(a, b=2, *c, d=4, **e):\n  '''doc'''\n  return a, b, c, d, e\n"
                 "x = f(1), f(1, 3, 5, 6, d=7, z=8)") ==
        "((1, 2, (), 4, {}), (1, 3, (5, 6), 7, {'z': 8}))");
  CHECK(value_of("def f(a, *, b):\n  return a - b\nx = f(*[5], **{'b': 2})") == "3");
  CHECK(value_of("def outer(n):\n  def inner(m): return n * m\n  return inner\nx = outer(3)(4)") ==
        "12");
  CHECK(value_of("def f(n):\n  return 1 if n < 2 else n * f(n - 1)\nx = f(10)") == "3628800");
  CHECK(value_of("def f(): pass\nx = f()") == "None");
  CHECK(value_of("x = (lambda a, b=1: a + b)(2)") == "3");
  CHECK(value_of("from functools import partial\ndef f(a, b, c): return a, b, c\n"
                 "g = partial(f, 1, c=3)\nx = g(2), g(2, c=4)") == "((1, 2, 3), (1, 2, 4))");
  CHECK(value_of("def f(l=[]):\n  l.append(1)\n  return l\nf()\nx = f()") == "[1, 1]");
  CHECK(value_of("a = 1\ndef f():\n  a = 2\n  return a\nx = f(), a") == "(2, 1)");
}

TEST_CASE("what depends on the unknown is unknown, and only that") {
  const std::string unknown = "import numpy as np\nu = np.random.rand()\n";
  CHECK(value_of(unknown + "x = 1\nif u > 0.5:\n  y = 2\nelse:\n  y = 3\n") == "1");
  CHECK(value_of(unknown + "x = 1\nfor v in u:\n  if v: break\n  y = v\nwhile u: y = 1\n") == "1");
  CHECK(value_of(unknown + "x, y = 1, u + 1\nz = [w for w in u]\nq = f'{u}' if u else 2\n") == "1");
  CHECK(value_of(unknown +
                 "x = 1\nc = {'a': 0}\nl = [0, 0]\nif u:\n  c['a'] += 1\n  l[u] += 1\n") == "1");
  CHECK(error_of(unknown + "from keras import layers\nl = [1, 2]\nif u:\n  l[-1] = 3\n"
                           "layers.Dense(l[0])\nlayers.Dense(l[1])\n")
            .find("it decides units of Dense on line 8") != std::string::npos);
  CHECK(error_of(unknown + "from keras import layers\nl = [1, 2]\nl[u] = 3\nlayers.Dense(l[0])\n")
            .find("it decides units of Dense on line 6") != std::string::npos);
  CHECK(error_of(unknown + "c = {}\nif u:\n  c['a'] = 1\n").find("whether this assignment") !=
        std::string::npos);
  CHECK(error_of(unknown + "x = 1\nif u:\n  x = 2\nfrom keras import layers\nlayers.Dense(x)\n") ==
        "2: the result of numpy.random.rand is not known when compiling, but it decides units of "
        "Dense on line 7");
  CHECK(error_of(unknown + "x = []\nif u:\n  x.append(1)\n") ==
        "5: whether a change of this list happens depends on the result of numpy.random.rand (line "
        "2), which is not known when compiling");
  CHECK(
      error_of(unknown + "for i in range(3):\n  if u: break\n") ==
      "4: how often this loop runs depends on the result of numpy.random.rand, which is not known "
      "when compiling");
  CHECK(error_of(unknown + "def f():\n  if u: return 1\nf()\n")
            .rfind("4: whether this 'return'", 0) == 0);
}

TEST_CASE("types are compared, iterators walked along") {
  CHECK(value_of("x = type(1) == int, type('a') in (int, str), type([]) is dict") ==
        "(True, True, False)");
  CHECK(value_of("class A:\n  pass\nclass B(A):\n  pass\nx = type(B()) == A, type(B()) == B, "
                 "type(B()).__name__") == "(False, True, 'B')");
  CHECK(value_of("i = iter([1, 2])\nx = next(i), next(i), next(i, 0)") == "(1, 2, 0)");
  CHECK(error_of("i = iter([])\nnext(i)").find("2: next: the iterator is at its end") == 0);
  CHECK(value_of("import numpy as np\nx = np.sqrt(0.25)") == "0.5");
  CHECK(value_of("import math\nx = math.pow(2, 3), math.log10(1000), math.cos(0)") ==
        "(8.0, 3.0, 1.0)");
}

TEST_CASE("the options of a script have their defaults") {
  const auto parsed = [](const std::string &arguments, const std::string &expression) {
    return value_of("import argparse\nparser = argparse.ArgumentParser(description='x')\n" +
                    arguments + "args = parser.parse_args()\nx = " + expression);
  };
  CHECK(parsed("parser.add_argument('-b', '--batch-size', type=int, default=64, help='n')\n",
               "args.batch_size") == "64");
  CHECK(parsed("parser.add_argument('--no-cuda', action='store_true')\n"
               "parser.add_argument('--keep', action='store_false', dest='kept')\n",
               "args.no_cuda, args.kept") == "(False, True)");
  CHECK(parsed("g = parser.add_argument_group('data')\n"
               "g.add_argument('--lr', default='0.5', type=float)\n"
               "parser.add_argument('--name')\nparser.set_defaults(name='a', n=2)\n",
               "args.lr, args.name, args.n") == "(0.5, 'a', 2)");
  CHECK(parsed("parser.add_argument('data')\n", "1 if True else args.data") == "1");
  CHECK(error_of("import argparse\nfrom keras import layers\np = argparse.ArgumentParser()\n"
                 "p.add_argument('--units', type=int, required=True)\n"
                 "layers.Dense(p.parse_args().units)")
            .find("the command line's 'units' is not known when compiling") != std::string::npos);
  CHECK(error_of("import argparse\nargparse.ArgumentParser().parse_args().lr")
            .find("has no attribute 'lr'") != std::string::npos);
}

TEST_CASE("what a skipped module says of the machine is unknown") {
  CHECK(value_of("import sys\nassert sys.version_info >= (3, 7)\nx = 1") == "1");
  CHECK(value_of("import os\nx = 1\nif os.name == 'nt':\n  y = 2") == "1");
  CHECK(error_of("import sys\nfrom keras import layers\nn = 2\n"
                 "if sys.platform != 'linux':\n  n = 3\nlayers.Dense(n)")
            .find("the result of sys.platform is not known when compiling") != std::string::npos);
}

TEST_CASE("what is skipped is warned of once a line") {
  Diagnostics diagnostics;
  load("import os, time\nimport matplotlib.pyplot as plt\n"
       "for i in range(3): plt.plot(i); print(i)\nos.environ['A'] = '1'\nplt.style = 2\n"
       "%matplotlib inline\n"
       "from keras import Sequential, layers\n"
       "model = Sequential([layers.Input(shape=(2,)), layers.Dense(1)])\n",
       diagnostics);
  CHECK(diagnostics.warnings() ==
        std::vector<std::string>{
            "script.py:3:20: warning: matplotlib.pyplot.plot is skipped: it has no meaning in a "
            "compiled program",
            "script.py:4:1: warning: this assignment is skipped: it has no meaning in a compiled "
            "program",
            "script.py:5:1: warning: setting style of matplotlib.pyplot is skipped: it has no "
            "meaning in a compiled program",
            "script.py:6:1: warning: the notebook command '%matplotlib inline' is skipped"});
}

TEST_CASE("classes follow Python") {
  const std::string shapes = R"(
class Shape:
    sides = 0
    def __init__(self, name='shape'):
        self.name = name
    def describe(self):
        return f'{self.name} of {self.sides}'
    @property
    def doubled(self):
        return 2 * self.sides
    @staticmethod
    def add(a, b):
        return a + b
    @classmethod
    def make(cls, *args):
        return cls(*args)
    def __call__(self, n):
        return self.sides * n
class Square(Shape):
    sides = 4
    def __init__(self):
        super().__init__('square')
    def describe(self):
        return super(Square, self).describe() + ' sides'
)";
  const auto after = [&](const std::string &expression) {
    return value_of(shapes + "x = " + expression);
  };
  CHECK(after("Square().describe()") == "square of 4 sides");
  CHECK(after("Shape.make('line').describe()") == "line of 0");
  CHECK(after("Square().doubled, Square.add(1, 2), Square()(3)") == "(8, 3, 12)");
  CHECK(after("isinstance(Square(), Shape), isinstance(Shape(), Square)") == "(True, False)");
  CHECK(after("Square.__name__ + Square().__class__.__name__") == "SquareSquare");
  CHECK(after("hasattr(Square(), 'name'), getattr(Shape(), 'nam', 3)") == "(True, 3)");
  CHECK(value_of("class A:\n  def __getitem__(self, i):\n    return 2 * i\nx = A()[3]") == "6");
  CHECK(value_of(shapes + "s = Square()\ns.sides += 1\nx = s.sides, Square.sides") == "(5, 4)");
  CHECK(value_of(shapes + "Shape.sides = 7\nx = Shape().sides") == "7");
  CHECK(value_of(shapes + "class Both(Square, Shape):\n    pass\nx = Both().describe()") ==
        "square of 4 sides");
}

TEST_CASE("a class body's names are no variables of its methods") {
  CHECK(error_of("class A:\n    size = 3\n    def f(self):\n        return size\nA().f()")
            .find("name 'size' is not defined") != std::string::npos);
}

TEST_CASE("with runs its body where what it manages has no meaning") {
  CHECK(value_of("import time\nwith time.timer() as t, time.other():\n    x = 3") == "3");
}
