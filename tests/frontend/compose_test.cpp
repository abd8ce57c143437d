// The composed functions, by the reference interpreter, against their definitions.
#include "backends/reference/interpreter.h"
#include "frontend/compose_resize.h"

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
  check_function("not",
                 as_float([&](Composer &c, NodeId x) { return logical_not(c, above(c, x, 1)); }),
                 [](double x) { return x <= 1; });
  check_function("not equal", as_float([&](Composer &c, NodeId x) {
                   return not_equal(c, above(c, x, 1), above(c, x, -1));
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
}

TEST_CASE("shapes: expand and tile") {
  Composition composition;
  Composer &c = composition.composer;
  const NodeId row = composition.input("row", {1, 3});
  const auto number = [](int64_t i) { return static_cast<double>(i); };
  const NamedArrays inputs{{"row", filled({1, 3}, number)}};
  CHECK(composition.value(compose::expand(c, row, {2, 2, 3}), inputs).values ==
        std::vector<double>{0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2});
  CHECK(composition.value(compose::tile(c, row, {2, 2}), inputs).values ==
        std::vector<double>{0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2});
}

namespace {

using Values = std::vector<double>;

/// f of a row of values, under the shape [1, count, 1].
Values of_row(const Values &row, const std::function<NodeId(Composer &, NodeId)> &f) {
  Composition composition;
  const Shape shape{1, static_cast<int64_t>(row.size()), 1};
  const NodeId y = f(composition.composer, composition.input("x", shape));
  return composition
      .value(y, {{"x", filled(shape, [&](int64_t i) { return row[static_cast<size_t>(i)]; })}})
      .values;
}

Values resized(const Values &row, int64_t extent, const compose::ResizeRules &rules,
               double begin = 0, double end = 1) {
  return of_row(row, [&](Composer &c, NodeId x) {
    const double scale = static_cast<double>(extent) / static_cast<double>(row.size());
    return compose::resize(c, x, {{1, extent, scale, begin, end}}, rules);
  });
}

void check_close(const Values &actual, const Values &expected) {
  REQUIRE(actual.size() == expected.size());
  for (size_t i = 0; i < actual.size(); ++i)
    CHECK(actual[i] == doctest::Approx(expected[i]).epsilon(1e-6));
}

} // namespace

TEST_CASE("resizing: the nearest element by every rule") {
  using namespace compose;
  ResizeRules rules;
  CHECK(resized({1, 2, 3, 4}, 2, rules) == Values{1, 3}); // 0.5 and 2.5, ties to the floor
  rules.rounding = Rounding::prefer_ceil;
  CHECK(resized({1, 2, 3, 4}, 2, rules) == Values{2, 4});
  rules.rounding = Rounding::floor;
  rules.coordinates = Coordinates::asymmetric;
  CHECK(resized({1, 2}, 4, rules) == Values{1, 1, 2, 2});
  rules.rounding = Rounding::ceil;
  CHECK(resized({1, 2}, 4, rules) == Values{1, 2, 2, 2});
  rules.coordinates = Coordinates::align_corners;
  rules.rounding = Rounding::prefer_ceil;
  CHECK(resized({1, 2, 3}, 5, rules) == Values{1, 2, 2, 3, 3});
}

TEST_CASE("resizing: linear and cubic") {
  using namespace compose;
  ResizeRules rules;
  rules.interpolation = Interpolation::linear;
  check_close(resized({1, 2}, 4, rules), {1, 1.25, 1.75, 2});
  rules.coordinates = Coordinates::align_corners;
  check_close(resized({1, 2}, 4, rules), {1, 4.0 / 3, 5.0 / 3, 2});
  rules.coordinates = Coordinates::pytorch_half_pixel;
  check_close(resized({1, 2, 3, 4}, 1, rules), {1});
  rules.coordinates = Coordinates::half_pixel;
  rules.antialias = true;
  // Triangles of reach 2 around 0.5 and 2.5: weights 1 3 3 1 of 8, the edges repeated or left out.
  check_close(resized({1, 2, 3, 4}, 2, rules), {13.0 / 8, 27.0 / 8});
  rules.exclude_outside = true;
  check_close(resized({1, 2, 3, 4}, 2, rules), {12.0 / 7, 23.0 / 7});
  rules.exclude_outside = false;
  rules.antialias = false;
  rules.interpolation = Interpolation::cubic;
  // At 0.25, distances 1.25 0.25 0.75 1.75 with a = -3/4.
  const Values cubic = resized({0, 0, 1, 0, 0}, 10, rules);
  CHECK(cubic[5] == doctest::Approx(1.25 * 0.015625 - 2.25 * 0.0625 + 1));
  CHECK(cubic[3] == doctest::Approx(1.25 * 0.421875 - 2.25 * 0.5625 + 1));
  rules.exclude_outside = true;
  check_close(resized({1, 1, 1}, 6, rules), {1, 1, 1, 1, 1, 1});
}

TEST_CASE("resizing a part, with a value where it leaves the tensor") {
  compose::ResizeRules rules;
  rules.interpolation = compose::Interpolation::linear;
  rules.coordinates = compose::Coordinates::tf_crop_and_resize;
  rules.extrapolation = 9;
  check_close(resized({1, 2, 3, 4, 5}, 3, rules, 0.5, 1.5), {3, 5, 9});
}

TEST_CASE("padding with elements of its own") {
  using compose::PadMode;
  const auto padded = [](PadMode mode) {
    return of_row({1, 2, 3}, [&](Composer &c, NodeId x) {
      return compose::pad(c, x, mode, {0, 2, 0}, {0, 4, 0});
    });
  };
  CHECK(padded(PadMode::reflect) == Values{3, 2, 1, 2, 3, 2, 1, 2, 3});
  CHECK(padded(PadMode::edge) == Values{1, 1, 1, 2, 3, 3, 3, 3, 3});
  CHECK(padded(PadMode::wrap) == Values{2, 3, 1, 2, 3, 1, 2, 3, 1});
}

TEST_CASE("local response normalisation") {
  const Values y = of_row({2}, [](Composer &c, NodeId x) {
    const NodeId five = compose::tile(c, x, {1, 1, 5});
    return compose::local_response_norm(c, five, {2, 1}, 0.5F, 0.75F, 1);
  });
  const auto expected = [](double neighbours) { return 2 / std::pow(1 + 2 * neighbours, 0.75); };
  check_close(y, {expected(2), expected(3), expected(4), expected(4), expected(3)});
}

TEST_CASE("matrix products of every rank") {
  const Shape matrix{2, 2};
  const auto number = [](int64_t i) { return static_cast<double>(i + 1); };
  const auto product = [&](const Shape &a, const Shape &b) {
    Composition composition;
    const NodeId left = composition.input("a", a);
    const NodeId right = composition.input("b", b);
    const NodeId y = compose::matmul(composition.composer, left, right);
    return composition.value(y, {{"a", filled(a, number)}, {"b", filled(b, number)}});
  };
  CHECK(product({2}, {2}).values == Values{5});
  CHECK(product({2}, matrix).values == Values{7, 10});
  CHECK(product(matrix, {2}).values == Values{5, 11});
  CHECK(product(matrix, matrix).values == Values{7, 10, 15, 22});
  CHECK(product({kBatch, 1, 2}, matrix).values == Values{7, 10, 15, 22});
  CHECK(product({2, 1, 2}, {2, 2, 1}).values == Values{5, 25});
  CHECK(product({2, 1, 2}, {2, 2, 1}).type.shape == Shape{2, 1, 1});
}

TEST_CASE("partial windows count what is there") {
  Pool2dAttrs pool;
  pool.size = {3, 1};
  pool.strides = {2, 1};
  const auto averaged = [&](bool count_include_pad, int64_t padding) {
    return of_row({1, 2, 3, 4}, [&](Composer &c, NodeId x) {
      pool.count_include_pad = count_include_pad;
      pool.padding = {padding, 0, padding, 0};
      const Shape image{1, 4, 1, 1};
      return compose::average_pool(c, compose::reshape(c, x, image), pool,
                                   compose::partial_windows(image, pool));
    });
  };
  check_close(averaged(false, 0), {2, 3.5});
  check_close(averaged(false, 1), {1.5, 3, 4});
  check_close(averaged(true, 1), {1, 3, 2}); // the last: 4, one zero of padding and nothing
}

TEST_CASE("the k largest and their places") {
  Composition composition;
  const NodeId x = composition.input("x", {2, 4});
  const compose::TopK top = compose::top_k(composition.composer, x, {1, 2, false});
  const NodeId least = compose::argmin(composition.composer, x, {1, true});
  const NamedArrays inputs{{"x", filled({2, 4}, [](int64_t i) {
                              return Values{3, 1, 4, 1, 5, 9, 2, 6}[static_cast<size_t>(i)];
                            })}};
  CHECK(composition.value(top.values, inputs).values == Values{4, 3, 9, 6});
  CHECK(composition.value(top.indices, inputs).values == Values{2, 0, 1, 3});
  CHECK(composition.value(least, inputs).values == Values{3, 2});
}

TEST_CASE("losses a sample") {
  const auto loss = [](const std::function<NodeId(Composer &, NodeId, NodeId)> &f) {
    Composition composition;
    const NodeId p = composition.input("p", {1, 2});
    const NodeId t = composition.input("t", {1, 2});
    const NodeId y = f(composition.composer, p, t);
    return composition.value(
        y, {{"p", filled({1, 2}, [](int64_t i) { return i == 0 ? 0.25 : 3; })},
            {"t", filled({1, 2}, [](int64_t i) { return i == 0 ? 1 : 0.5; })}})[0];
  };
  using namespace compose;
  CHECK(loss(negative_log_likelihood) == doctest::Approx(-1.75));
  CHECK(
      loss([](Composer &c, NodeId, NodeId t) { // of the target {1, 0} and itself: log(0) is no term
        const NodeId target = c.append(OpKind::floor, {t});
        return negative_log_likelihood(c, c.append(OpKind::log, {target}), target);
      }) == 0);
  CHECK(loss(mean_absolute_error) == doctest::Approx((0.75 + 2.5) / 2));
  CHECK(loss([](Composer &c, NodeId p, NodeId t) { return huber(c, p, t, 1); }) ==
        doctest::Approx((0.75 * 0.75 / 2 + 2) / 2));
  CHECK(loss(log_cosh) ==
        doctest::Approx((std::log(std::cosh(0.75)) + std::log(std::cosh(2.5))) / 2));
  CHECK(loss([](Composer &c, NodeId p, NodeId t) { return hinge(c, p, t, true); }) ==
        doctest::Approx(0.75 * 0.75 / 2));
  CHECK(loss(kl_divergence) == doctest::Approx(std::log(4) + 0.5 * std::log(0.5)));
  CHECK(loss(poisson) == doctest::Approx((0.25 - std::log(0.25) + 3 - 0.5 * std::log(3)) / 2));
}
