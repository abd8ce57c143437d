#include "tests/frontend/support.h"

#include <doctest/doctest.h>

using namespace sinter;

namespace {

const std::string kHead = R"(import numpy as np
import tensorflow as tf
from tensorflow import keras
from sklearn.model_selection import train_test_split
(x, y), (xt, yt) = keras.datasets.fashion_mnist.load_data()
model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(10, activation='softmax')])
model.compile(loss='sparse_categorical_crossentropy')
)";

DataSpec data_of(const std::string &code) { return *load(kHead + code).data; }

std::string text(const Subset &subset) {
  std::string result = subset.source;
  for (const SubsetStep &step : subset.steps) {
    result += " " + step.op;
    if (step.op == "slice")
      result += fmt::format("[{}:{}]", step.start,
                            step.stop == INT64_MAX ? "end" : std::to_string(step.stop));
    else
      result += fmt::format("({}, {}, {})", step.test_size, step.shuffle, step.random_state);
  }
  return result;
}

std::string text(const std::vector<ScalingStep> &scaling) {
  std::string result;
  for (const ScalingStep &step : scaling)
    result += fmt::format("{}{} {}", result.empty() ? "" : ", ", step.op, step.value);
  return result;
}

/// The scaling that an expression of x means.
std::string scaling_of(const std::string &expression) {
  return text(
      data_of("f = lambda x: " + expression + "\nmodel.fit(f(x), y)\nmodel.evaluate(f(xt), yt)\n")
          .scaling);
}

/// The input shape that an expression of x gives the model.
std::string shape_of(const std::string &expression) {
  const Model model = load(kHead + "model.fit(" + expression + ", y)\n");
  return str(model.graph.type(model.graph.all(OpKind::input).at(0)).shape);
}

} // namespace

TEST_CASE("scaling is recorded in the script's order") {
  CHECK(scaling_of("x") == "");
  CHECK(scaling_of("x / 255.0") == "divide 255");
  CHECK(scaling_of("x / 255") == "divide 255");
  CHECK(scaling_of("(x.astype('float32') - 127.5) / 127.5") == "subtract 127.5, divide 127.5");
  CHECK(scaling_of("x * (1 / 255.)") == "multiply 0.003921569");
  CHECK(scaling_of("1.0 - x / 255.0") == "divide 255, multiply -1, add 1");
  CHECK(scaling_of("x.astype(np.float32) * 2 + 1") == "multiply 2, add 1");
  CHECK(scaling_of("-(x / 255.0)") == "divide 255, multiply -1");
  CHECK(scaling_of("np.array(x, dtype=float) / 255") == "divide 255");
}

TEST_CASE("shapes follow NumPy") {
  CHECK(shape_of("x.reshape(-1, 28, 28, 1)") == "[N,28,28,1]");
  CHECK(shape_of("x.reshape((60000, 28, 28, 1))") == "[N,28,28,1]");
  CHECK(shape_of("x.reshape(x.shape[0], 28 * 28)") == "[N,784]");
  CHECK(shape_of("x.reshape(len(x), -1)") == "[N,784]");
  CHECK(shape_of("np.reshape(x, (-1, 14, 56))") == "[N,14,56]");
  CHECK(shape_of("x[..., np.newaxis]") == "[N,28,28,1]");
  CHECK(shape_of("x[:, :, :, tf.newaxis]") == "[N,28,28,1]");
  CHECK(shape_of("x[:, np.newaxis]") == "[N,1,28,28]");
  CHECK(shape_of("np.expand_dims(x, -1)") == "[N,28,28,1]");
  CHECK(shape_of("np.expand_dims(x, axis=3)") == "[N,28,28,1]");
}

TEST_CASE("subsets are recorded step by step") {
  DataSpec data = data_of("model.fit(x[:5000], y[:5000])\nmodel.evaluate(xt[-1000:], yt[-1000:])");
  CHECK(text(data.train) == "train slice[0:5000]");
  CHECK(text(data.test) == "test slice[9000:end]");
  CHECK(data.validation.source.empty());
  CHECK(data.dataset == "fashion_mnist");

  data = data_of("a, b, c, d = train_test_split(x, y, test_size=0.2, random_state=42)\n"
                 "a, e, c, f = train_test_split(a[:1000], c[:1000], test_size=100, shuffle=False)\n"
                 "model.fit(a, c, validation_data=(b, d))\n");
  CHECK(text(data.train) ==
        "train split_train(0.2, true, 42) slice[0:1000] split_train(100, false, -1)");
  CHECK(text(data.validation) == "train split_test(0.2, true, 42)");
  CHECK(text(data.test) == "test"); // nothing is evaluated: the data set's own

  data = data_of("model.fit(x, y, validation_split=0.25)");
  CHECK(text(data.train) == "train head_fraction(0.25, true, -1)");
  CHECK(text(data.validation) == "train tail_fraction(0.25, true, -1)");
}

TEST_CASE("the test set is what was evaluated last, beside training and validation samples") {
  const std::string head = "x, xv, y, yv = train_test_split(x, y, random_state=1)\n"
                           "model.fit(x, y, validation_data=(xv, yv))\n";
  CHECK(
      text(data_of(head + "model.evaluate(xt, yt)\nmodel.evaluate(xv, yv)\nmodel.evaluate(x, y)\n")
               .test) == "test");
  CHECK(text(data_of(head + "model.evaluate(xt[:100], yt[:100])\n").test) == "test slice[0:100]");
  // Test samples that serve as validation samples too.
  CHECK(text(data_of("xt, yt = xt[:9], yt[:9]\nmodel.fit(x, y, validation_data=(xt, yt))\n"
                     "model.evaluate(xt, yt)\n")
                 .test) == "test slice[0:9]");
}

TEST_CASE("splits without a random state are the same only when one call made them") {
  CHECK(error_of(kHead + "a, b, c, d = train_test_split(x, y)\nmodel.fit(a, c)\n").empty());
  CHECK(error_of(kHead +
                 "a, b = train_test_split(x)\nc, d = train_test_split(y)\nmodel.fit(a, c)\n") ==
        "10: fit gets samples (picked on line 8) and labels (picked on line 9) that do not belong "
        "together");
  CHECK(error_of(kHead + "a, b = train_test_split(x, random_state=3)\n"
                         "c, d = train_test_split(y, random_state=3)\nmodel.fit(a, c)\n")
            .empty());
}

TEST_CASE("what is not known of the data is an error only where it decides something") {
  CHECK(error_of(kHead + "m = x.mean()\nclasses = np.unique(y, return_counts=True)\nz = x[0] > 3\n"
                         "w = x.T\nmodel.fit(x, y)\n")
            .empty());
  CHECK(error_of(kHead + "x = x.T\nmodel.fit(x, y)\n") ==
        "8: the result of images (60000, 28, 28).T is not known when compiling, but it decides the "
        "samples of fit on line 9");
  CHECK(error_of(kHead + "x[0] = 0\n") ==
        "8: changing elements of an array is not supported: the data reach the program only when "
        "it runs");
  CHECK(error_of(kHead + "if x > 3: pass\n")
            .rfind("8: images (60000, 28, 28) cannot be compared", 0) == 0);
  CHECK(error_of(kHead + "x = x[::2]\nmodel.fit(x, y)\n").rfind("8: the result of indexing", 0) ==
        0);
}

TEST_CASE("labels become one-hot rows") {
  const DataSpec data = *load(R"(from tensorflow import keras
(x, y), (xt, yt) = keras.datasets.mnist.load_data()
y = keras.utils.to_categorical(y, 12)
model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(12)])
model.compile(loss=keras.losses.CategoricalCrossentropy(from_logits=True))
model.fit(x, y)
)")
                             .data;
  CHECK(data.dataset == "mnist");
  CHECK(data.one_hot == 12);
}

TEST_CASE("a tf.data.Dataset holds samples and labels, and how they are gone through") {
  const std::string make = "ds = tf.data.Dataset.from_tensor_slices((x[..., tf.newaxis], y))\n";
  const Model plain = load(kHead + make + R"(
test = tf.data.Dataset.from_tensor_slices((xt[..., None], yt)).batch(100)
def scale(image, label):
    return tf.cast(image, tf.float32) / 255., tf.cast(label, tf.int64)
ds = ds.map(scale, num_parallel_calls=tf.data.AUTOTUNE).cache().shuffle(1000).batch(64)
ds = ds.prefetch(tf.data.AUTOTUNE)
test = test.map(lambda image, label: (tf.cast(image, tf.float32) / 255., label))
for images, labels in ds.take(1):
    print(images.shape)
for images, labels in ds:
    print(images.shape)
    break
images, labels = next(iter(test))
print(ds.element_spec, test.cardinality())
model.fit(ds, epochs=3, validation_data=test)
model.evaluate(test)
)");
  CHECK(text(plain.data->scaling) == "divide 255");
  CHECK(plain.training->batch_size == 64);
  CHECK(plain.training->shuffle);
  CHECK(text(plain.data->validation) == "test");
  CHECK(text(plain.data->test) == "test");
  CHECK(str(plain.graph.type(plain.graph.all(OpKind::input).at(0)).shape) == "[N,28,28,1]");
  const Model parts = load(kHead + make +
                           "model.fit(ds.skip(5000).batch(10), "
                           "validation_data=ds.take(5000).batch(50))\n");
  CHECK_FALSE(parts.training->shuffle);
  CHECK(text(parts.data->train) == "train slice[5000:end]");
  CHECK(text(parts.data->validation) == "train slice[0:5000]");
  const Model one_hot = load(kHead + make + R"(
ds = ds.map(lambda image, label: (image, tf.one_hot(label, depth=10)))
model.compile(loss='categorical_crossentropy')
model.fit(ds.batch(8))
)");
  CHECK(one_hot.data->one_hot == 10);
}

TEST_CASE("what cannot be made of a tf.data.Dataset is an error") {
  const auto error = [](const std::string &code) {
    return error_of(kHead + "ds = tf.data.Dataset.from_tensor_slices((x, y))\n" + code);
  };
  CHECK(error("model.fit(ds)\n").find("the data set must be in batches") != std::string::npos);
  CHECK(error("model.fit(ds.batch(8), y)\n").find("holds the labels, too") != std::string::npos);
  CHECK(error("model.fit(x)\n").find("the labels are missing") != std::string::npos);
  CHECK(error("model.fit(ds.batch(8).batch(8))\n").find("batches of batches") != std::string::npos);
  CHECK(error("model.fit(ds.map(lambda a, b: (tf.image.resize(a, (32, 32)), b)).batch(8))\n") !=
        "");
  CHECK(error("model.fit(ds.batch(8, drop_remainder=True))\n").find("drop_remainder") !=
        std::string::npos);
  CHECK(error("keras.losses.Huber().batch(8)\n").find("has no attribute 'batch'") !=
        std::string::npos);
}
