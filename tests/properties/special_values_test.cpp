// Kernels on values that random inputs never hold: NaNs, infinities, signed zeros and integers. The
// compiler's fast-math flags assume the first two away, so the ops that must see them say so.
#include "backends/verify/check_kernels.h"
#include "ir/parse.h"
#include "passes/differentiate.h"
#include "passes/fuse_elementwise.h"
#include "passes/fuse_epilogues.h"
#include "passes/make_plan.h"
#include "passes/plan_memory.h"
#include "tests/paths.h"

#include <cmath>
#include <doctest/doctest.h>
#include <limits>

using namespace sinter;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr int64_t kBatchSize = 3;

/// Compiles the graph's last node with all others in one plan and compares every kernel.
void check(const std::string &text, const std::vector<double> &pattern) {
  Graph graph = parse_graph(text, "special.sir");
  graph.outputs = {{"result", NodeId{graph.size() - 1}}};
  Plan plan = make_plan(graph);
  fuse_epilogues(plan);
  fuse_elementwise(plan);
  plan_memory(plan, place_parameters({&graph}));
  NamedArrays inputs;
  size_t next = 0; // patterns of coprime lengths meet in all ways
  for (NodeId id : graph.all(OpKind::input)) {
    Array array(graph.type(id), kBatchSize);
    for (double &value : array.values)
      value = pattern[next++ % pattern.size()];
    inputs.emplace(attrs<InputAttrs>(graph[id]).name, array);
    ++next;
  }
  KernelOptions options;
  options.cache_dir = build_path("test_kernels");
  const KernelLibrary library({&plan}, variants_for_target("host").back(), options, /*threads=*/1);
  for (const KernelCheck &kernel : check_kernels(library, 0, plan, kBatchSize, inputs)) {
    CAPTURE(text);
    CAPTURE(kernel.problem);
    CAPTURE(kernel.max_abs_error);
    CHECK(kernel.ok);
  }
}

std::string unary(const char *op, const char *result) {
  return std::string("%0 = input {name=\"x\", type=f32[N,37]} : f32[N,37]\n%1 = ") + op +
         " %0 : " + result + "[N,37]";
}

std::string binary(const char *op, const char *element, const char *result) {
  const std::string type = std::string(element) + "[N,37]";
  return "%0 = input {name=\"a\", type=" + type + "} : " + type +
         "\n%1 = input {name=\"b\", type=" + type + "} : " + type + "\n%2 = " + op +
         " %0, %1 : " + result + "[N,37]";
}

const std::vector<double> kSpecial{0, kNan, 1, -kInfinity, -0.0, -2, kInfinity, 0.5, kNan, -1, 3};
const std::vector<double> kIntegers{7, -7, 3, -3, 2, 1, -1, 100, -100, 12, -5};
const std::vector<double> kBytes{0, 1, 255, 7, 128, 3, 200, 2, 1};

} // namespace

TEST_CASE("a NaN passes through relu and the like, and is no infinity") {
  for (const char *op : {"relu", "abs", "sign", "negate", "floor", "sqrt"})
    check(unary(op, "f32"), kSpecial);
  for (const char *op : {"is_nan", "is_infinite"})
    check(unary(op, "u8"), kSpecial);
}

TEST_CASE("a NaN beats every number and compares with none") {
  for (const char *op : {"maximum", "minimum"})
    check(binary(op, "f32", "f32"), kSpecial);
  for (const char *op : {"equal", "greater", "greater_equal"})
    check(binary(op, "f32", "u8"), kSpecial);
}

TEST_CASE("a NaN beats a constant, too, and a constant that is one all numbers") {
  for (const char *op : {"maximum", "minimum"})
    for (const char *constant : {"0", "6", "-1.5", "inf", "-inf", "nan"}) {
      const std::string x = "%0 = input {name=\"x\", type=f32[N,37]} : f32[N,37]\n";
      const std::string bound =
          "%1 = constant {values=[" + std::string(constant) + "]} : f32[]\n%2 = ";
      check(x + bound + op + " %0, %1 : f32[N,37]", kSpecial);
      check(x + bound + op + " %1, %0 : f32[N,37]", kSpecial);
    }
}

TEST_CASE("what relu makes of a computed NaN stays one inside a kernel") {
  check(R"(%0 = input {name="x", type=f32[N,37]} : f32[N,37]
%1 = affine %0 {scale=2, offset=1} : f32[N,37]
%2 = relu %1 : f32[N,37]
%3 = is_nan %2 : u8[N,37]
%4 = select %3, %0, %1 : f32[N,37])",
        kSpecial);
}

TEST_CASE("a function of a NaN is one, and of an infinity its limit") {
  for (const char *op : {"exp", "expm1", "log", "log1p", "erf", "sigmoid", "tanh", "sin", "cos",
                         "tan", "asin", "acos", "atan", "sinh", "cosh", "asinh", "rsqrt"}) {
    check(unary(op, "f32"), kSpecial);
    check("%0 = input {name=\"x\", type=f32[N]} : f32[N]\n%1 = " + std::string(op) + " %0 : f32[N]",
          kSpecial);
  }
}

TEST_CASE("a NaN in a row is one in what the row makes") {
  const std::string rows = "%0 = input {name=\"x\", type=f32[N,11]} : f32[N,11]\n";
  const std::vector<double> some{1, 2, 0.5, -3, kNan, 2, 7, -1, 0, 4, 1, 0.25, 3};
  check(rows + "%1 = softmax %0 : f32[N,11]", some);
  const std::string targets =
      rows + "%1 = input {name=\"t\", role=\"label\", type=f32[N,11]} : f32[N,11]\n%2 = ";
  for (const char *op : {"softmax_cross_entropy", "sigmoid_cross_entropy", "binary_crossentropy",
                         "categorical_crossentropy", "categorical_accuracy"})
    check(targets + op + " %0, %1 : f32[N]", some);
}

TEST_CASE("a NaN wins every search for an extreme, the first of several") {
  const std::string x = "%0 = input {name=\"x\", type=f32[N,6,6,5]} : f32[N,6,6,5]\n%1 = ";
  const std::vector<std::vector<double>> patterns{
      kSpecial, {3, kNan, 1}, {1, 2, 7, kNan, 5, kNan, -1}, {kNan}, {-kInfinity, 4}};
  for (const std::vector<double> &pattern : patterns) {
    for (const char *op : {"reduce_max", "reduce_min"}) {
      check(x + op + " %0 {axes=[1,2]} : f32[N,5]", pattern);
      check(x + op + " %0 {axes=[3]} : f32[N,6,6]", pattern);
      check(x + op + " %0 {axes=[0,1]} : f32[6,5]", pattern);
    }
    check(x + "argmax %0 {axis=3} : i32[N,6,6]", pattern);
    check(x + "argmax %0 {axis=1, last=true} : i32[N,6,5]", pattern);
    check(x + "top_k_indices %0 {axis=3, k=5} : i32[N,6,6,5]", pattern);
    check(x + "top_k_indices %0 {axis=1, k=4, smallest=true} : i32[N,4,6,5]", pattern);
    check(x + "max_pool2d %0 {size=[5,5], strides=[1,1]} : f32[N,2,2,5]", pattern);
    check(x + "max_pool2d_argmax %0 {size=[5,5], strides=[1,1]} : u8[N,2,2,5]", pattern);
  }
}

TEST_CASE("a NaN that a convolution made survives what its kernel does next") {
  const std::string convolution = R"(%0 = input {name="x", type=f32[N,4,4,1]} : f32[N,4,4,1]
%1 = constant {values=[1], type=f32[1,1,1,16]} : f32[1,1,1,16]
%2 = conv2d %0, %1 : f32[N,4,4,16]
%3 = )";
  const std::vector<double> some{1, 2, -3, 0.5, kNan, 4, -1, 3, 2, kNan, 5};
  for (const char *op : {"tanh", "sigmoid", "exp", "relu", "log"})
    check(convolution + op + " %2 : f32[N,4,4,16]", some);
  check(convolution + "is_nan %2 : u8[N,4,4,16]", some);
}

TEST_CASE("integers divide towards zero, by zero to zero, and remainders follow") {
  for (const char *op :
       {"add", "subtract", "multiply", "divide", "maximum", "minimum", "mod", "fmod"}) {
    check(binary(op, "i32", "i32"), kIntegers);
    check(binary(op, "i32", "i32"), {7, 0, -3, 0, 0, -1, 5});
  }
  for (const char *op : {"divide", "mod", "fmod"})
    check(binary(op, "u8", "u8"), {7, 0, 200, 0, 0, 1, 255});
  for (const char *op : {"equal", "greater", "greater_equal"})
    check(binary(op, "i32", "u8"), kIntegers);
}

TEST_CASE("bytes wrap around") {
  for (const char *op : {"add", "subtract", "multiply", "maximum", "minimum"})
    check(binary(op, "u8", "u8"), kBytes);
}

TEST_CASE("a cast cuts fractions off, and takes bytes modulo 256") {
  const std::string x = "%0 = input {name=\"x\", type=f32[N,37]} : f32[N,37]\n%1 = cast %0 ";
  check(x + "{to=i32} : i32[N,37]", {0.5, -0.5, 1.9, -1.9, 1e9, -7, 250.7});
  check(x + "{to=u8} : u8[N,37]", {0.5, -0.5, 1.9, -1.9, 255, 256.5, 250.7});
  check("%0 = input {name=\"x\", type=i32[N,37]} : i32[N,37]\n%1 = cast %0 {to=u8} : u8[N,37]",
        {0, -1, 255, 256, 1000, 7});
}

TEST_CASE("powers of negative numbers") {
  check(binary("pow", "f32", "f32"), {-2, 3, 2, -1, 0.5, 2, 0, 1, -3, 2});
}

TEST_CASE("indices count from the end when negative, and never leave the tensor") {
  check(R"(%0 = input {name="x", type=i32[11]} : i32[11]
%1 = input {name="i", type=i32[N,5]} : i32[N,5]
%2 = gather %0, %1 {axis=0} : i32[N,5])",
        kIntegers);
  check(R"(%0 = input {name="x", type=i32[N,7]} : i32[N,7]
%1 = input {name="i", type=i32[N,5]} : i32[N,5]
%2 = gather_elements %0, %1 {axis=1} : i32[N,5])",
        kIntegers);
}

TEST_CASE("integers and bytes reduce, move and sort") {
  const std::string x = "%0 = input {name=\"x\", type=i32[N,5,7]} : i32[N,5,7]\n%1 = ";
  for (const char *op : {"reduce_sum", "reduce_max", "reduce_min", "reduce_prod"})
    check(x + op + " %0 {axes=[2]} : i32[N,5]", kIntegers);
  check(x + "argmax %0 {axis=1, last=true} : i32[N,7]", {3, 3, 1});
  check(x + "top_k_indices %0 {axis=2, k=7} : i32[N,5,7]", {3, 3, 1, 5});
  check(x + "cumulative_sum %0 {axis=2} : i32[N,5,7]", kIntegers);
  check(x + "pad %0 {low=[0,1,0], high=[0,0,2], value=-3} : i32[N,6,9]", kIntegers);
  check(x + "broadcast %0 {shape=[N,5,2,7], axes=[2]} : i32[N,5,2,7]", kIntegers);
  check("%0 = input {name=\"x\", type=u8[N,5]} : u8[N,5]\n%1 = reduce_max %0 {axes=[1]} : u8[N]",
        kBytes);
}

TEST_CASE("products with no zero, with one and with several have a gradient") {
  const std::string text = R"(%0 = parameter {name="w", type=f32[3,4]} : f32[3,4]
%1 = reduce_prod %0 {axes=[1]} : f32[3]
%2 = reduce_sum %1 {axes=[0]} : f32[])";
  Graph graph = parse_graph(text, "product.sir");
  graph.outputs = {{"loss", NodeId{2}}};
  differentiate(graph);
  Array w({ElementType::f32, {3, 4}, 0}, 1);
  w.values = {1, 2, 3, 4, 1, 0, 3, 4, 0, 2, 0, 4};
  const NodeId gradient = graph.find_output(kGradientPrefix + std::string("w"));
  const std::vector<Array> values = evaluate(graph, 1, {{"w", w}});
  CHECK(values[static_cast<size_t>(gradient.index)].values ==
        std::vector<double>{24, 12, 8, 6, 0, 12, 0, 0, 0, 0, 0, 0});
}

TEST_CASE("powers have a gradient where a factor of its formula has none") {
  const std::string text = R"(%0 = parameter {name="a", type=f32[6]} : f32[6]
%1 = parameter {name="b", type=f32[6]} : f32[6]
%2 = pow %0, %1 : f32[6]
%3 = reduce_sum %2 {axes=[0]} : f32[])";
  Graph graph = parse_graph(text, "power.sir");
  graph.outputs = {{"loss", NodeId{3}}};
  differentiate(graph);
  Array a({ElementType::f32, {6}, 0}, 1), b = a;
  a.values = {0, 0, -2, -2, 2, 0};
  b.values = {0, 1, 2, 0.5, 1, -1}; // (-2)^0.5 is a NaN, 0^-1 infinite
  const std::vector<Array> values = evaluate(graph, 1, {{"a", a}, {"b", b}});
  const auto gradient = [&](const char *name) {
    const NodeId id = graph.find_output(std::string(kGradientPrefix) + name);
    return values[static_cast<size_t>(id.index)].values;
  };
  const std::vector<double> da = gradient("a"), db = gradient("b");
  CHECK(std::vector<double>(da.begin(), da.begin() + 3) == std::vector<double>{0, 1, -4});
  CHECK(da[4] == 1);
  CHECK(std::vector<double>(db.begin(), db.begin() + 4) == std::vector<double>{0, 0, 0, 0});
  CHECK(db[4] == doctest::Approx(2 * std::log(2.0)));
  CHECK(db[5] == 0);
}

TEST_CASE("there is nothing between the elements of an extent of one") {
  check(R"(%0 = input {name="x", type=f32[N,1,3]} : f32[N,1,3]
%1 = pad %0 {low=[0,1,0], high=[0,0,0], interior=[0,2147483647,0]} : f32[N,2,3])",
        {1, 2, -3, 4, 5});
}

TEST_CASE("scans go along any axis, alone or many lines at once") {
  const std::string x = "%0 = input {name=\"x\", type=f32[N,6,7,20]} : f32[N,6,7,20]\n%1 = ";
  const std::vector<double> some{1, 2, -3, 0.5, 4, -1, 3, 2, 5, 8, -7, 6, 9};
  for (int axis = 1; axis <= 3; ++axis)
    for (const char *way :
         {"", ", exclusive=true", ", reverse=true", ", exclusive=true, reverse=true"})
      check(x + "cumulative_sum %0 {axis=" + std::to_string(axis) + way + "} : f32[N,6,7,20]",
            some);
  check(x + "top_k_indices %0 {axis=3, k=20} : i32[N,6,7,20]", some);
  check(x + "top_k_indices %0 {axis=1, k=2, smallest=true} : i32[N,2,7,20]", some);
  check("%0 = input {name=\"x\", type=f32[N,1]} : f32[N,1]\n"
        "%1 = cumulative_sum %0 {axis=1, exclusive=true} : f32[N,1]",
        some);
  check("%0 = input {name=\"x\", type=f32[50]} : f32[50]\n"
        "%1 = cumulative_sum %0 {axis=0} : f32[50]",
        some);
}

TEST_CASE("what was gathered several times gets the sum") {
  const auto scatter = [](const char *dy, const char *indices, const char *node) {
    return std::string("%0 = input {name=\"dy\", type=f32") + dy + "} : f32" + dy +
           "\n%1 = input {name=\"i\", type=i32" + indices + "} : i32" + indices + "\n%2 = " + node;
  };
  const std::vector<double> some{1, 2, -3, 4, 0, -1, 3, 2, 5, 8, -7};
  check(scatter("[N,9,20]", "[N,9]", "gather_gradient %0, %1 {axis=0, extent=12} : f32[12,20]"),
        some);
  check(scatter("[N,9]", "[N,9]", "gather_gradient %0, %1 {axis=0, extent=12} : f32[12]"), some);
  check(scatter("[N,9,20]", "[9]", "gather_gradient %0, %1 {axis=1, extent=5} : f32[N,5,20]"),
        some);
  check(scatter("[N,9,20]", "[N,9,20]",
                "gather_elements_gradient %0, %1 {axis=1, extent=5} : f32[N,5,20]"),
        some);
  check(scatter("[N,9,20]", "[N,9,20]",
                "gather_elements_gradient %0, %1 {axis=2, extent=6} : f32[N,9,6]"),
        some);
}

TEST_CASE("a channel sum reaches no further than the channels") {
  const std::string x =
      "%0 = input {name=\"x\", type=f32[N,2,5]} : f32[N,2,5]\n%1 = channel_sum %0 ";
  check(x + "{before=2147483646, after=2147483646} : f32[N,2,5]", {1, 2, 3, -4, 0.5, 6, 7});
  check(x + "{before=1, after=30} : f32[N,2,5]", {1, 2, 3, -4, 0.5, 6, 7});
}

TEST_CASE("functions near zero and far from it") {
  for (const char *op : {"log1p", "expm1", "erf", "atan", "sinh", "asinh", "tan"})
    check(unary(op, "f32"), {1e-6, -1e-6, 3e-4, -0.5, 2, 0.49, 0.51, 10, 1e-3});
}
