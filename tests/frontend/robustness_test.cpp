// Whatever a script holds, it loads or is a CompileError: no crash, hang or internal error.
#include "tests/frontend/support.h"
#include "tests/paths.h"

#include <doctest/doctest.h>
#include <filesystem>
#include <random>

using namespace sinter;

namespace {

/// Loads a script for its outcome alone; what escapes but CompileError fails the test.
bool loads(const std::string &text) {
  try {
    load(text);
    return true;
  } catch (const CompileError &) {
    return false;
  }
}

const std::string kScript = R"(import numpy as np
from functools import partial
from tensorflow import keras
from sklearn.model_selection import train_test_split
(x, y), (xt, yt) = keras.datasets.fashion_mnist.load_data()
x = x.reshape(-1, 28, 28, 1) / 255.0
xt = xt[..., np.newaxis].astype('float32') / 255.0
x, xv, y, yv = train_test_split(x, y, test_size=0.2, random_state=42)
conv = partial(keras.layers.Conv2D, kernel_size=3, activation="relu", padding="same")
model = keras.Sequential([keras.layers.Input(shape=[28, 28, 1])])
for filters in [4, 8]:
    model.add(conv(filters=filters, name=f"conv_{filters:02d}"))
    model.add(keras.layers.MaxPooling2D(2))
model.add(keras.layers.Flatten()); model.add(keras.layers.Dense(10, activation='softmax'))
model.compile(optimizer=keras.optimizers.Adam(1e-3), loss='sparse_categorical_crossentropy',
              metrics=['accuracy'])
h = model.fit(x, y, epochs=2, validation_data=(xv, yv),
              callbacks=[keras.callbacks.EarlyStopping(patience=2)])
loss, acc = model.evaluate(xt, yt)
)";

} // namespace

TEST_CASE("every prefix of a script loads or is an error") {
  REQUIRE(loads(kScript));
  for (size_t length = 0; length < kScript.size(); ++length)
    loads(kScript.substr(0, length));
}

TEST_CASE("random changes of a script load or are errors") {
  std::mt19937 random(1);
  static const std::vector<std::string> pieces = {
      "(",  ")", "[",     "]",    "{",    "}",     ":",      ",",      "=",       "*",
      "**", ".", "\n",    "    ", "'",    "\"",    "for ",   "if ",    "lambda ", "None",
      "-1", "0", "1e999", "9",    "x",    "model", "keras.", "np.",    "layers",  "%",
      "\\", "#", "\t",    "f'",   "[::]", "...",   "def f(", "while ", "\xc3",    "return "};
  for (int round = 0; round < 3000; ++round) {
    std::string text = kScript;
    const int changes = 1 + static_cast<int>(random() % 4);
    for (int i = 0; i < changes; ++i) {
      const size_t at = random() % text.size();
      const std::string &piece = pieces[random() % pieces.size()];
      switch (random() % 4) {
      case 0:
        text.erase(at, 1 + random() % 8);
        break;
      case 1:
        text.insert(at, piece);
        break;
      case 2:
        text[at] = static_cast<char>(1 + random() % 126);
        break;
      default:
        text.insert(at, text.substr(random() % text.size(), random() % 30));
      }
    }
    CAPTURE(text);
    loads(text);
  }
}

TEST_CASE("deep and long scripts are bounded") {
  const auto repeated = [](const std::string &piece, int count) {
    std::string text;
    for (int i = 0; i < count; ++i)
      text += piece;
    return text;
  };
  CHECK(!loads("x = " + repeated("(", 5000)));
  CHECK(!loads("x = " + repeated("[", 5000)));
  CHECK(!loads("x = " + repeated("-", 100000) + "1"));
  CHECK(!loads("x = " + repeated("not ", 100000) + "1"));
  CHECK(!loads("x = " + repeated("1 if 1 else ", 20000) + "1"));
  CHECK(!loads("x = 1" + repeated(" + 1", 20000)));
  CHECK(!loads("x = y" + repeated(".a", 20000)));
  CHECK(!loads("x = 2" + repeated(" ** 2", 20000)));
  CHECK(!loads("f = " + repeated("lambda: ", 20000) + "1"));
  CHECK(
      !loads(repeated("if 1:\n ", 1) + repeated("pass\n", 1) + repeated("elif 1:\n pass\n", 5000)));
  std::string nested;
  for (int depth = 0; depth < 500; ++depth)
    nested += std::string(static_cast<size_t>(depth), ' ') + "if 1:\n";
  CHECK(!loads(nested));
  CHECK(!loads("a = []\na.append(a)\nprint(a)\nb = [a]\nb.append(b)\nx = a == b\n"));
  CHECK(!loads("s = 'a'\nwhile 1:\n  s = s + s\n"));
  CHECK(!loads("l = [1]\nwhile 1:\n  l += l\n"));
  CHECK(!loads("l = [1]\nwhile 1:\n  l = [l, l]\nx = l == l"));
  CHECK(!loads("x = 'a' * 10 ** 12"));
  CHECK(!loads("x = range(10 ** 18)"));
  CHECK(!loads("f = lambda f: f(f)\nf(f)"));
}

TEST_CASE("objects that hold each other are bounded") {
  const std::string header = "import keras\nfrom keras import layers\nimport torch.nn as nn\n";
  const auto error = [&](const std::string &text) { return error_of(header + text); };
  // Attribute look-up goes through a class's ancestors in an order that is made once.
  std::string diamonds = "class A0:\n  pass\n";
  for (int i = 0; i < 20; ++i)
    diamonds += fmt::format("class L{0}(A{0}):\n  pass\nclass R{0}(A{0}):\n  pass\n"
                            "class A{1}(L{0}, R{0}):\n  pass\n",
                            i, i + 1);
  CHECK(error(diamonds + "x = hasattr(A20(), 'missing'), isinstance(A20(), A0)\n") ==
        "0: the script builds no model");
  CHECK(error(diamonds + "class L(A20):\n  pass\nclass R(A20, L):\n  pass\n") ==
        "128: the bases of class R contradict each other's order");
  CHECK(error("class A:\n  pass\nfor i in range(20000):\n  class A(A):\n    pass\n") ==
        "7: class A derives from more than 63 classes");
  // Lists that hold themselves, or everything twice, given to a layer.
  const std::string unit = "class Unit(layers.Layer):\n  def call(self, x):\n    return x[0]\n"
                           "x = [keras.Input(shape=(4,))]\n";
  CHECK(error(unit + "x.append(x)\nUnit()(x)\n") ==
        "9: tensors are passed in lists that nest more than 100 deep");
  CHECK(error(unit + "for i in range(60):\n  x = [x, x]\nUnit()(x)\n") ==
        "10: the script takes more than 100000 steps to evaluate");
  CHECK(
      error(
          "from torchvision import datasets, transforms\nfrom torch.utils.data import DataLoader\n"
          "l = []\nt = transforms.Compose(l)\nl.append(t)\n"
          "DataLoader(datasets.MNIST('.', transform=t))\n") ==
      "7: transforms nest more than 20 deep");
  // Modules in modules, models in models.
  CHECK(error("l = []\nl.append(l)\nm = nn.Linear(4, 4)\nfor i in range(200):\n"
              "  m = nn.Sequential(m)\nm.modules()\nimport torch\nm(torch.randn(1, 4))\n") ==
        "11: modules nest more than 100 deep");
  CHECK(error("m = keras.Sequential([layers.Dense(1)])\nfor i in range(2000):\n"
              "  m = keras.Sequential([m])\nm.build((None, 4))\n") ==
        "6: models nest more than 100 deep");
}

TEST_CASE("a layer that is held on several ways counts once") {
  const std::string header = "import keras\nfrom keras import layers\n"
                             "class Unit(layers.Layer):\n"
                             "  def __init__(self):\n"
                             "    super().__init__()\n"
                             "    self.dense = layers.Dense(4, kernel_regularizer='l2')\n"
                             "  def call(self, x):\n    return self.dense(x)\n"
                             "a = Unit()\nb = Unit()\na.other = b\nb.other = a\n"
                             "b.held = [a, {'a': (a, b)}]\n"
                             "x = keras.Input(shape=(4,))\nm = keras.Model(x, b(a(x)))\n";
  const Model model = load(header + "m.compile(loss='mse')\n");
  CHECK(model.graph.all(OpKind::square).size() == 2); // a penalty each
  CHECK(model.layers[1].parameters.size() == 4);      // a's own, and b's
  CHECK(error_of(header + "assert m.count_params() == 40\nm.trainable = False\n"
                          "assert not b.trainable\n") == "");
  // 2^40 ways to one layer
  CHECK(error_of(header + "for i in range(40):\n  c = Unit()\n  c.left = a\n  c.right = a\n"
                          "  a = c\na.trainable = False\nassert a.count_params() == 40\n") == "");
}

TEST_CASE("what copying, comparing and showing values costs is counted") {
  const std::string text = "t = 'a' * 400000\n";
  const std::string wide =
      "l = [1]\nm = [1]\nfor i in range(12):\n  l = [l] * 50\n  m = [m] * 50\n";
  CHECK(loads(wide + "x = f'{l}'\nfrom keras import layers, Sequential\n"
                     "Sequential([layers.Input((2,)), layers.Dense(1)])\n"));
  for (const std::string &steps :
       {text + "while 1: u = t\n", text + "x = [t] * 1000\n", text + "x = [t]\nwhile 1: x += x\n",
        text + "x = ('%s' * 1000) % tuple([t] * 1000)\n",
        text + "def f(a=t): return 1\nwhile 1: f()\n", wide + "x = l == m\n", wide + "x = l < m\n",
        wide + "x = m in [l]\n", wide + "x = [l].count(m)\n", wide + "x = {l: 1}\nx[m] = 2\n",
        std::string("l = [0] * 20000\nwhile 1: x = 1 in l\n")})
    CHECK(error_of(steps).find("more than 100000 steps") != std::string::npos);
}

TEST_CASE("the examples survive losing any one line") {
  for (const auto &entry : std::filesystem::directory_iterator(source_path("examples"))) {
    if (entry.path().extension() != ".py")
      continue;
    const std::string text = read_file(entry.path().string());
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = std::min(text.find('\n', begin), text.size() - 1) + 1;
      loads(text.substr(0, begin) + text.substr(end));
      begin = end;
    }
  }
}
