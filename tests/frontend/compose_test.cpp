// The composed functions, by the reference interpreter, against their definitions.
#include "backends/reference/interpreter.h"
#include "frontend/compose.h"

#include <cmath>
#include <doctest/doctest.h>
#include <functional>
#include <limits>

using namespace sinter;

namespace {

constexpr int64_t kBatchSize = 2;

struct Composition {
  Graph graph;
  Composer composer{graph, "layer", {}};

  NodeId input(const char *name, const Shape &shape) {
    return composer.append(OpKind::input, {},
                           InputAttrs{name, "data", {ElementType::f32, shape, 0}});
  }
  Array value(NodeId id, const NamedArrays &inputs) {
    return evaluate(graph, kBatchSize, inputs, {id})[static_cast<size_t>(id.index)];
  }
};

Array filled(const Shape &shape, const std::function<double(int64_t)> &value) {
  Array array({ElementType::f32, shape, 0}, kBatchSize);
  for (int64_t i = 0; i < array.size(); ++i)
    array[i] = value(i);
  return array;
}

/// Values on both sides of zero and of every threshold, neither regular nor symmetric.
double irregular(int64_t i) { return 4 * std::sin(static_cast<double>(i) * 1.7 + 0.3); }

using Compose = std::function<NodeId(Composer &, NodeId)>;

void check_function(const char *name, const Compose &compose,
                    const std::function<double(double)> &expected) {
  CAPTURE(name);
  Composition composition;
  const NodeId x = composition.input("x", {kBatch, 11});
  const NodeId y = compose(composition.composer, x);
  const Array values = filled({kBatch, 11}, irregular);
  const Array result = composition.value(y, {{"x", values}});
  for (int64_t i = 0; i < values.size(); ++i)
    CHECK(result[i] == doctest::Approx(expected(values[i])).epsilon(1e-6));
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double elu_of(double x, double alpha) { return x > 0 ? x : alpha * std::expm1(x); }
double softplus_of(double x) { return std::log1p(std::exp(x)); }
double clamp(double x, double low, double high) { return x < low ? low : x > high ? high : x; }

} // namespace

TEST_CASE("activations are what they are called") {
  using namespace compose;
  constexpr float infinity = std::numeric_limits<float>::infinity();
  const auto with = [](auto function, auto... arguments) {
    return [=](Composer &c, NodeId x) { return function(c, x, arguments...); };
  };
  check_function("clip", with(clip, -1.0F, 2.0F), [](double x) { return clamp(x, -1, 2); });
  check_function("relu6", with(clip, 0.0F, 6.0F), [](double x) { return clamp(x, 0, 6); });
  check_function("clip above", with(clip, -infinity, 2.0F), [](double x) { return x > 2 ? 2 : x; });
  for (double slope : {0.0, 0.25, 1.5, -0.5})
    check_function("leaky_relu", with(leaky_relu, static_cast<float>(slope)),
                   [&](double x) { return x > 0 ? x : slope * x; });
  check_function("thresholded_relu", with(thresholded_relu, 1.0F),
                 [](double x) { return x > 1 ? x : 0; });
  check_function("elu", with(elu, 1.5F), [](double x) { return elu_of(x, 1.5); });
  check_function("celu", with(celu, 2.0F),
                 [](double x) { return x > 0 ? x : 2 * std::expm1(x / 2); });
  check_function(
      "selu", [](Composer &c, NodeId x) { return selu(c, x); },
      [](double x) { return 1.05070098735548 * elu_of(x, 1.67326324235437); });
  check_function("gelu", gelu, [](double x) { return x / 2 * (1 + std::erf(x / std::sqrt(2.0))); });
  check_function("gelu_tanh", gelu_tanh, [](double x) {
    return x / 2 * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
  });
  check_function("hard_sigmoid", with(hard_sigmoid, 0.2F, 0.5F),
                 [](double x) { return clamp(0.2 * x + 0.5, 0, 1); });
  check_function("hard_swish", hard_swish, [](double x) { return x * clamp(x / 6 + 0.5, 0, 1); });
  check_function("silu", silu, [](double x) { return x * sigmoid(x); });
  check_function("softplus", softplus, softplus_of);
  check_function("log_sigmoid", log_sigmoid, [](double x) { return std::log(sigmoid(x)); });
  check_function("softsign", softsign, [](double x) { return x / (1 + std::fabs(x)); });
  check_function("mish", mish, [](double x) { return x * std::tanh(softplus_of(x)); });
  check_function("tanh_shrink", tanh_shrink, [](double x) { return x - std::tanh(x); });
  check_function("shrink", with(shrink, 1.0F, 0.5F), [](double x) {
    return x > 1 ? x - 0.5 : x < -1 ? x + 0.5 : 0;
  });
  check_function("reciprocal", reciprocal, [](double x) { return 1 / x; });
  check_function(
      "prelu", [](Composer &c, NodeId x) { return prelu(c, x, c.scalar_like(x, 0.3F)); },
      [](double x) { return x > 0 ? x : 0.3 * x; });
}

TEST_CASE("masks") {
  using namespace compose;
  const auto as_float = [](auto function) {
    return [=](Composer &c, NodeId x) {
      return c.append(OpKind::cast, {function(c, x)}, CastAttrs{ElementType::f32});
    };
  };
  const auto above = [](Composer &c, NodeId x, float limit) {
    return c.append(OpKind::greater, {x, c.scalar_like(x, limit)});
  };
  check_function("less",
                 as_float([](Composer &c, NodeId x) { return less(c, x, c.scalar_like(x, 1)); }),
                 [](double x) { return x < 1; });
  check_function("not",
                 as_float([&](Composer &c, NodeId x) { return logical_not(c, above(c, x, 1)); }),
                 [](double x) { return x <= 1; });
  check_function("and", as_float([&](Composer &c, NodeId x) {
                   return logical_and(c, above(c, x, -1), less_equal(c, x, c.scalar_like(x, 2)));
                 }),
                 [](double x) { return x > -1 && x <= 2; });
  check_function("or", as_float([&](Composer &c, NodeId x) {
                   return logical_or(c, above(c, x, 1), less(c, x, c.scalar_like(x, -1)));
                 }),
                 [](double x) { return x > 1 || x < -1; });
  check_function("xor", as_float([&](Composer &c, NodeId x) {
                   return logical_xor(c, above(c, x, 1), above(c, x, -1));
                 }),
                 [](double x) { return x > -1 && x <= 1; });
  check_function("to_mask", as_float([](Composer &c, NodeId x) { return to_mask(c, x); }),
                 [](double) { return 1; });
}

TEST_CASE("softmax along the channels, and its logarithm") {
  for (int64_t axis : {1, 2}) {
    Composition composition;
    const NodeId x = composition.input("x", {kBatch, 3, 4});
    const NodeId probabilities = compose::softmax(composition.composer, x, axis);
    const NodeId logarithms = compose::log_softmax(composition.composer, x, axis);
    const NodeId total = compose::log_sum_exp(composition.composer, x, {axis}, false);
    const NamedArrays inputs{{"x", filled({kBatch, 3, 4}, irregular)}};
    const Array p = composition.value(probabilities, inputs);
    const Array l = composition.value(logarithms, inputs);
    const Array t = composition.value(total, inputs);
    const Array &values = inputs.at("x");
    const int64_t stride = axis == 1 ? 4 : 1;
    const int64_t count = axis == 1 ? 3 : 4;
    for (int64_t i = 0; i < values.size(); ++i) {
      const int64_t first = i - i / stride % count * stride;
      double sum = 0;
      for (int64_t j = 0; j < count; ++j)
        sum += std::exp(values[first + j * stride]);
      CHECK(p[i] == doctest::Approx(std::exp(values[i]) / sum));
      CHECK(l[i] == doctest::Approx(values[i] - std::log(sum)));
    }
    CHECK(t[0] == doctest::Approx(values[0] - l[0]));
  }
}

TEST_CASE("normalisations have mean offset and deviation scale") {
  Composition composition;
  const Shape shape{kBatch, 3, 2, 4};
  const NodeId x = composition.input("x", shape);
  Composer &c = composition.composer;
  const NodeId two = c.scalar_like(x, 2);
  const NodeId five = c.scalar_like(x, 5);
  const NamedArrays inputs{{"x", filled(shape, irregular)}};
  const auto check_groups = [&](NodeId y, const std::function<bool(int64_t, int64_t)> &together) {
    const Array value = composition.value(y, inputs);
    for (int64_t i = 0; i < value.size(); ++i) {
      double count = 0, sum = 0, squares = 0;
      for (int64_t j = 0; j < value.size(); ++j)
        if (together(i, j)) {
          count += 1;
          sum += value[j];
          squares += value[j] * value[j];
        }
      CHECK(sum / count == doctest::Approx(5));
      CHECK(squares / count - 25 == doctest::Approx(4).epsilon(1e-4));
    }
  };
  check_groups(compose::layer_norm(c, x, 2, two, five, 1e-6F).y,
               [](int64_t i, int64_t j) { return i / 8 == j / 8; });
  check_groups(compose::instance_norm(c, x, two, five, 1e-6F),
               [](int64_t i, int64_t j) { return i / 24 == j / 24 && i % 4 == j % 4; });
  check_groups(compose::group_norm(c, x, 2, two, five, 1e-6F),
               [](int64_t i, int64_t j) { return i / 24 == j / 24 && i % 4 / 2 == j % 4 / 2; });
}

TEST_CASE("shapes: expand, tile, depth to space and back") {
  Composition composition;
  Composer &c = composition.composer;
  const NodeId row = composition.input("row", {1, 3});
  const NodeId x = composition.input("x", {kBatch, 2, 3, 8});
  const auto number = [](int64_t i) { return static_cast<double>(i); };
  const NamedArrays inputs{{"row", filled({1, 3}, number)},
                           {"x", filled({kBatch, 2, 3, 8}, number)}};
  CHECK(composition.value(compose::expand(c, row, {2, 2, 3}), inputs).values ==
        std::vector<double>{0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2});
  CHECK(composition.value(compose::tile(c, row, {2, 2}), inputs).values ==
        std::vector<double>{0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2});
  const NodeId space = compose::depth_to_space(c, x, 2);
  CHECK(c.shape(space) == Shape{kBatch, 4, 6, 2});
  const Array spread = composition.value(space, inputs);
  CHECK(std::vector<double>(spread.values.begin(), spread.values.begin() + 14) ==
        std::vector<double>{0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 4, 5});
  CHECK(composition.value(compose::space_to_depth(c, space, 2), inputs).values ==
        inputs.at("x").values);
  const Array crd = composition.value(compose::depth_to_space(c, x, 2, true), inputs);
  CHECK(std::vector<double>(crd.values.begin(), crd.values.begin() + 4) ==
        std::vector<double>{0, 4, 1, 5});
}
