// Every op's Halide algorithm, unscheduled and run by Halide's JIT, against the reference
// interpreter. What schedules make of it is tested with the Halide backend.

#include "backends/reference/interpreter.h"
#include "ir/kernel_builder.h"
#include "ir/parse.h"
#include "tests/ir/ops/random_operands.h"

#include <cmath>
#include <cstring>
#include <doctest/doctest.h>
#include <set>

using namespace sinter;

namespace {

void store(Halide::Buffer<> &buffer, int64_t position, double value) {
  if (buffer.type() == Halide::Float(32))
    static_cast<float *>(buffer.data())[position] = static_cast<float>(value);
  else if (buffer.type() == Halide::Int(32))
    static_cast<int32_t *>(buffer.data())[position] = static_cast<int32_t>(value);
  else
    static_cast<uint8_t *>(buffer.data())[position] = static_cast<uint8_t>(value);
}

double load(const Halide::Buffer<> &buffer, int64_t position) {
  if (buffer.type() == Halide::Float(32))
    return static_cast<double>(static_cast<const float *>(buffer.data())[position]);
  if (buffer.type() == Halide::Int(32))
    return static_cast<const int32_t *>(buffer.data())[position];
  return static_cast<const uint8_t *>(buffer.data())[position];
}

/// Where logical element i lies in storage.
int64_t storage_position(const TensorType &type, int64_t i) {
  if (!type.blocked())
    return i;
  const int64_t last = type.shape.back();
  const int64_t rows = type.elements() / last;
  const int64_t column = i % last;
  return (column / type.block * rows + i / last) * type.block + column % type.block;
}

Halide::Buffer<> empty_buffer(const TensorType &type, int64_t batch) {
  const Shape extents = with_batch(type.storage_shape(), batch);
  Halide::Buffer<> buffer(halide_type(type.element),
                          std::vector<int>(extents.rbegin(), extents.rend()));
  std::memset(buffer.data(), 0, buffer.size_in_bytes());
  return buffer;
}

/// The node's algorithm on the given operands; also checks that padding lanes are zero.
std::vector<double> run(const Graph &graph, NodeId id, int64_t batch,
                        const std::vector<const Array *> &operands) {
  Halide::Param<int> batch_parameter("batch");
  batch_parameter.set(static_cast<int>(batch));
  const Halide::Expr batch_extent = batch_parameter;
  std::vector<Tensor> tensors;
  for (const Array *operand : operands) {
    Halide::Buffer<> buffer = empty_buffer(operand->type, batch);
    for (int64_t i = 0; i < operand->size(); ++i)
      store(buffer, storage_position(operand->type, i), (*operand)[i]);
    Halide::Func func;
    func(Halide::_) = buffer(Halide::_);
    tensors.emplace_back(operand->type, func, batch_extent);
  }
  KernelBuilder builder(graph, id, tensors, batch_extent);
  op_def(graph[id].kind).compute(builder);
  for (Stage stage : builder.stages())
    stage.func.compute_root();

  const TensorType &type = graph.type(id);
  Halide::Buffer<> result = empty_buffer(type, batch);
  Halide::Func func = builder.result();
  func.realize(result);
  std::vector<double> values(static_cast<size_t>(type.elements() * (type.batched() ? batch : 1)));
  double total = 0;
  for (size_t i = 0; i < values.size(); ++i)
    total += std::abs(values[i] = load(result, storage_position(type, static_cast<int64_t>(i))));
  for (size_t i = 0; i < result.number_of_elements(); ++i)
    total -= std::abs(load(result, static_cast<int64_t>(i)));
  CHECK_MESSAGE(std::abs(total) < 1e-3, "padding lanes are not zero");
  return values;
}

void round_to_float(Array &array) {
  for (double &value : array.values)
    value = static_cast<double>(static_cast<float>(value));
}

/// What an error is small in comparison with: the result itself, or the largest result.
enum class Precision { of_each, of_largest };

/// The graph's last node by its algorithm and by the reference, on the same float operands.
void check_last_node(const std::string &text, int64_t batch, double scale = 1,
                     Precision precision = Precision::of_each) {
  INFO(text << "\nbatch " << batch << ", inputs scaled by " << scale);
  const Graph graph = parse_graph(text, "test");
  const NodeId id{graph.size() - 1};
  std::vector<Array> values = evaluate(graph, batch, random_inputs(graph, batch, scale, 1));
  std::vector<const Array *> operands;
  for (NodeId input : graph[id].inputs) {
    Array &operand = values[static_cast<size_t>(input.index)];
    round_to_float(operand);
    operands.push_back(&operand);
  }
  const Array expected = evaluate_node(graph[id], batch, operands);
  const std::vector<double> actual = run(graph, id, batch, operands);
  REQUIRE(actual.size() == expected.values.size());
  double largest = 0;
  for (double value : expected.values)
    largest = std::max(largest, std::abs(value));
  for (size_t i = 0; i < actual.size(); ++i) {
    const double size = precision == Precision::of_largest ? largest : std::abs(expected.values[i]);
    const double tolerance = 2e-6 * std::max(1.0, size);
    CHECK_MESSAGE(std::abs(actual[i] - expected.values[i]) <= tolerance,
                  "element " << i << ": " << actual[i] << ", expected " << expected.values[i]);
  }
}

} // namespace

TEST_CASE("every op's algorithm agrees with the reference on its example") {
  // Results at points go back to small ones as differences of large ones.
  const std::set<OpKind> of_largest{OpKind::winograd_filter, OpKind::winograd_conv2d,
                                    OpKind::winograd_filter_gradient};
  for (OpKind kind : all_op_kinds())
    if (op_def(kind).compute)
      check_last_node(std::string(op_def(kind).example), 3, 1,
                      of_largest.count(kind) > 0 ? Precision::of_largest : Precision::of_each);
}

TEST_CASE("functions of one value are accurate far from zero") {
  for (const char *op : {"tanh", "sigmoid", "softmax", "relu", "abs", "sign", "floor", "round",
                         "erf", "sin", "atan", "asinh"}) {
    const std::string text = std::string("%0 = input {name=\"x\", type=f32[N,37]} : f32[N,37]\n") +
                             "%1 = " + op + " %0 : f32[N,37]";
    for (double scale : {1e-3, 0.6, 8.0, 90.0, 1e4})
      check_last_node(text, 5, scale);
  }
}

TEST_CASE("losses stay finite and exact for saturated predictions") {
  for (const char *loss : {"softmax_cross_entropy", "sigmoid_cross_entropy"}) {
    const std::string operands = "%0 = input {name=\"x\", type=f32[N,9]} : f32[N,9]\n"
                                 "%1 = input {name=\"t\", type=f32[N,9]} : f32[N,9]\n";
    check_last_node(operands + "%2 = " + loss + " %0, %1 : f32[N]", 4, 100.0);
    check_last_node(operands + "%2 = input {name=\"dy\", type=f32[N]} : f32[N]\n%3 = " + loss +
                        "_gradient %2, %0, %1 : f32[N,9]",
                    4, 20.0);
  }
}

TEST_CASE("operands broadcast from either side, and values survive blocked storage") {
  check_last_node(R"(%0 = input {name="a", type=f32[5]} : f32[5]
%1 = input {name="b", type=f32[N,3,1]} : f32[N,3,1]
%2 = subtract %0, %1 : f32[N,3,5])",
                  2);
  check_last_node(R"(%0 = parameter {name="w", type=f32[3,5; block=4]} : f32[3,5; block=4]
%1 = parameter {name="g", type=f32[3,5; block=4]} : f32[3,5; block=4]
%2 = input {name="rate", role="learning_rate", type=f32[]} : f32[]
%3 = sgd_update %0, %1, %2 : f32[3,5; block=4])",
                  2);
}

TEST_CASE("padding lanes stay zero whatever the op makes of zeros") {
  const std::string w = "%0 = parameter {name=\"w\", type=f32[3,5; block=4]} : f32[3,5; block=4]\n"
                        "%1 = exp %0 : f32[3,5; block=4]\n";
  for (const char *node : {"exp %0", "log %1", "rsqrt %1", "sigmoid %0", "affine %0 {offset=2}",
                           "divide %0, %1", "adam_update %0, %0, %1, %2",
                           "rmsprop_update %0, %0, %1, %2", "nesterov_update %0, %0, %0, %2"})
    check_last_node(w + "%2 = input {name=\"rate\", role=\"learning_rate\", type=f32[]} : f32[]\n" +
                        "%3 = " + node + " : f32[3,5; block=4]",
                    1);
  check_last_node(w + "%2 = greater_equal %0, %1 : u8[3,5; block=4]", 1);
}

TEST_CASE("reductions over the batch, over everything and with kept dimensions") {
  const std::string x = "%0 = input {name=\"x\", type=f32[N,4,3]} : f32[N,4,3]\n";
  for (const char *op : {"reduce_sum", "reduce_mean", "reduce_max"}) {
    check_last_node(x + "%1 = " + op + " %0 {axes=[0]} : f32[4,3]", 5);
    check_last_node(x + "%1 = " + op + " %0 {axes=[0,1,2]} : f32[]", 5);
    check_last_node(x + "%1 = " + op + " %0 {axes=[0,2], keep_dims=true} : f32[1,4,1]", 5);
    check_last_node(x + "%1 = " + op + " %0 {axes=[2]} : f32[N,4]", 5);
  }
  const std::string w = "%0 = parameter {name=\"w\", type=f32[3,5; block=4]} : f32[3,5; block=4]\n";
  for (const char *rest : {"{axes=[0,1]} : f32[]", "{axes=[0]} : f32[5]", "{axes=[1]} : f32[3]"})
    check_last_node(w + "%1 = exp %0 : f32[3,5; block=4]\n%2 = reduce_sum %1 " + rest, 1);
  check_last_node("%0 = input {name=\"x\", type=f32[3]} : f32[3]\n"
                  "%1 = broadcast %0 {shape=[N,3,2], axes=[0,2], mean=true} : f32[N,3,2]",
                  5);
}

TEST_CASE("the first of equal values is the maximum") {
  // Inputs scaled by 0 are all equal.
  check_last_node("%0 = input {name=\"x\", type=f32[N,7]} : f32[N,7]\n"
                  "%1 = argmax %0 {axis=1} : i32[N]",
                  3, 0.0);
  check_last_node("%0 = input {name=\"x\", type=f32[N,7]} : f32[N,7]\n"
                  "%1 = input {name=\"t\", type=f32[N,7]} : f32[N,7]\n"
                  "%2 = categorical_accuracy %0, %1 : f32[N]",
                  3, 0.0);
}

TEST_CASE("targets between the classes equal no prediction") {
  const std::string operands = "%0 = input {name=\"x\", type=f32[N,7]} : f32[N,7]\n"
                               "%1 = input {name=\"t\", type=f32[N,7]} : f32[N,7]\n"
                               "%2 = sign %1 : f32[N,7]\n"
                               "%3 = relu %2 : f32[N,7]\n"; // 0 or 1
  check_last_node(operands + "%4 = binary_accuracy %0, %3 : f32[N]", 6);
  check_last_node(operands + "%4 = affine %3 {scale=0.9} : f32[N,7]\n"
                             "%5 = binary_accuracy %0, %4 : f32[N]",
                  6);
}

TEST_CASE("clipped probabilities keep the losses finite") {
  const std::string operands = "%0 = input {name=\"x\", type=f32[N,5]} : f32[N,5]\n"
                               "%1 = sign %0 : f32[N,5]\n"
                               "%2 = relu %1 : f32[N,5]\n" // 0 or 1
                               "%3 = input {name=\"t\", type=f32[N,5]} : f32[N,5]\n"
                               "%4 = input {name=\"dy\", type=f32[N]} : f32[N]\n";
  check_last_node(operands + "%5 = binary_crossentropy %2, %3 : f32[N]", 6);
  check_last_node(operands + "%5 = binary_crossentropy_gradient %4, %2, %3 : f32[N,5]", 6);
  const std::string one = "%5 = affine %2 {offset=1e-09} : f32[N,5]\n";
  check_last_node(operands + one + "%6 = categorical_crossentropy %5, %3 : f32[N]", 6);
  check_last_node(operands + one + "%6 = categorical_crossentropy_gradient %4, %5, %3 : f32[N,5]",
                  6);
}
