// Which nodes each gradient rule appends. That the formulas are right is a property over the
// whole op table: central differences on the reference interpreter.

#include "ir/op.h"
#include "ir/parse.h"
#include "ir/print.h"

#include <doctest/doctest.h>
#include <fmt/core.h>

using namespace sinter;

namespace {

/// The nodes that differentiating the graph's last node appends, given dy as one more input, and
/// `dx<i> = %<id>` for every gradient. A rule that gives dy itself appends nothing.
std::string gradient_of(const std::string &text) {
  Graph graph = parse_graph(text, "test");
  const NodeId y{graph.size() - 1};
  const NodeId dy = graph.append(OpKind::input, {}, InputAttrs{"dy", "data", graph.type(y)});
  std::string gradients;
  const std::function<void(size_t, NodeId)> accumulate = [&](size_t i, NodeId gradient) {
    gradients += fmt::format("dx{} = %{}\n", i, gradient.index);
  };
  GradientBuilder builder(graph, y, dy, accumulate);
  op_def(graph[y].kind).gradient(builder);
  std::string result;
  for (int id = dy.index + 1; id < graph.size(); ++id)
    result += print_node(graph, {id}) + "\n";
  return result + gradients;
}

const std::string x = "%0 = input {name=\"x\", type=f32[N,7]} : f32[N,7]\n";
const std::string image = "%0 = input {name=\"x\", type=f32[N,6,6,2]} : f32[N,6,6,2]\n";

} // namespace

TEST_CASE("relu: dy where y is positive") {
  CHECK(gradient_of(x + "%1 = relu %0 : f32[N,7]") == "%3 = relu_gradient %2, %1 : f32[N,7]\n"
                                                      "dx0 = %3\n");
}

TEST_CASE("a bias gets dy as well: the builder sums it over the broadcast dimensions") {
  CHECK(gradient_of(x + "%1 = parameter {name=\"b\", type=f32[7]} : f32[7]\n"
                        "%2 = bias_add %0, %1 : f32[N,7]") == "dx0 = %3\ndx1 = %3\n");
}

TEST_CASE("max_pool2d: through the positions of the maxima") {
  CHECK(gradient_of(image + "%1 = max_pool2d %0 : f32[N,3,3,2]") ==
        "%3 = max_pool2d_argmax %0 : u8[N,3,3,2]\n"
        "%4 = max_pool2d_gradient %2, %3 {input_size=[6,6]} : f32[N,6,6,2]\n"
        "dx0 = %4\n");
}

TEST_CASE("conv2d: the filter's gradient takes the filter's storage block") {
  CHECK(gradient_of(image +
                    "%1 = parameter {name=\"w\", type=f32[3,3,2,5; block=4]} : f32[3,3,2,5; "
                    "block=4]\n"
                    "%2 = conv2d %0, %1 {strides=[2,2], padding=[1,1,0,0]} : f32[N,3,3,5]") ==
        "%4 = conv2d_input_gradient %3, %1 {strides=[2,2], padding=[1,1,0,0], size=[6,6]} : "
        "f32[N,6,6,2]\n"
        "%5 = conv2d_filter_gradient %0, %3 {strides=[2,2], padding=[1,1,0,0], size=[3,3], "
        "block=4} : f32[3,3,2,5; block=4]\n"
        "dx0 = %4\ndx1 = %5\n");
}

TEST_CASE("matmul: every transposition gives gradients of the operands' own types") {
  struct Case {
    const char *a, *b, *attributes, *da, *db;
  };
  const Case cases[] = {
      {"f32[N,7]", "f32[7,5; block=4]", "", "matmul %3, %1 {transpose_b=true} : f32[N,7]",
       "matmul %0, %3 {transpose_a=true, block=4} : f32[7,5; block=4]"},
      {"f32[N,7]", "f32[5,7]", " {transpose_b=true}", "matmul %3, %1 : f32[N,7]",
       "matmul %3, %0 {transpose_a=true} : f32[5,7]"},
      {"f32[N,7]", "f32[N,5]", " {transpose_a=true}", "matmul %1, %3 {transpose_b=true} : f32[N,7]",
       "matmul %0, %3 : f32[N,5]"},
      {"f32[4,7]", "f32[5,4]", " {transpose_a=true, transpose_b=true}",
       "matmul %1, %3 {transpose_a=true, transpose_b=true} : f32[4,7]",
       "matmul %3, %0 {transpose_a=true, transpose_b=true} : f32[5,4]"},
  };
  for (const Case &c : cases) {
    INFO(c.a << " " << c.b << c.attributes);
    const auto leaf = [](const char *id, const std::string &type) {
      const char *kind = type[4] == 'N' ? "input" : "parameter";
      return fmt::format("{} = {} {{name=\"{}\", type={}}} : {}\n", id, kind, id, type, type);
    };
    const bool reduces_batch = std::string(c.b) == "f32[N,5]";
    const std::string y = reduces_batch ? "f32[7,5]" : c.a[4] == 'N' ? "f32[N,5]" : "f32[7,5]";
    CHECK(gradient_of(leaf("%0", c.a) + leaf("%1", c.b) + "%2 = matmul %0, %1" + c.attributes +
                      " : " + y) ==
          fmt::format("%4 = {}\n%5 = {}\ndx0 = %4\ndx1 = %5\n", c.da, c.db));
  }
}

TEST_CASE("reductions repeat dy, means divide it by the run-time count") {
  CHECK(gradient_of(image + "%1 = reduce_mean %0 {axes=[0,1,2]} : f32[2]") ==
        "%3 = broadcast %2 {shape=[N,6,6,2], axes=[0,1,2], mean=true} : f32[N,6,6,2]\n"
        "dx0 = %3\n");
  CHECK(gradient_of(image + "%1 = reduce_sum %0 {axes=[1,2], keep_dims=true} : f32[N,1,1,2]") ==
        "%3 = reshape %2 {shape=[N,2]} : f32[N,2]\n"
        "%4 = broadcast %3 {shape=[N,6,6,2], axes=[1,2]} : f32[N,6,6,2]\n"
        "dx0 = %4\n");
}

TEST_CASE("slices and concatenations take each other's parts") {
  CHECK(gradient_of(x + "%1 = slice %0 {begin=[0,2], end=[N,5]} : f32[N,3]") ==
        "%3 = pad %2 {low=[0,2], high=[0,2]} : f32[N,7]\n"
        "dx0 = %3\n");
  CHECK(gradient_of(x + "%1 = input {name=\"z\", type=f32[N,2]} : f32[N,2]\n"
                        "%2 = concat %0, %1 {axis=1} : f32[N,9]") ==
        "%4 = slice %3 {begin=[0,0], end=[N,7]} : f32[N,7]\n"
        "%5 = slice %3 {begin=[0,7], end=[N,9]} : f32[N,2]\n"
        "dx0 = %4\ndx1 = %5\n");
}

TEST_CASE("losses give the target no gradient") {
  const std::string text = x + "%1 = input {name=\"t\", type=f32[N,7]} : f32[N,7]\n";
  for (const char *loss : {"categorical_crossentropy", "softmax_cross_entropy",
                           "binary_crossentropy", "sigmoid_cross_entropy"})
    CHECK(gradient_of(text + "%2 = " + loss + " %0, %1 : f32[N]") ==
          fmt::format("%4 = {}_gradient %3, %0, %1 : f32[N,7]\ndx0 = %4\n", loss));
}

TEST_CASE("every gradient is of its operand's type, up to broadcasting") {
  for (OpKind kind : all_op_kinds()) {
    if (!op_def(kind).gradient)
      continue;
    INFO(name(kind));
    Graph graph = parse_graph(std::string(op_def(kind).example), "test");
    const NodeId y{graph.size() - 1};
    const NodeId dy = graph.append(OpKind::input, {}, InputAttrs{"dy", "data", graph.type(y)});
    int count = 0;
    const std::function<void(size_t, NodeId)> accumulate = [&](size_t i, NodeId gradient) {
      ++count;
      const TensorType &operand = graph.type(graph[y].inputs[i]);
      const Shape &shape = graph.type(gradient).shape;
      CHECK(graph.type(gradient).element == operand.element);
      CHECK(broadcast_shapes(operand.shape, shape) == shape);
    };
    GradientBuilder builder(graph, y, dy, accumulate);
    op_def(kind).gradient(builder);
    CHECK(count > 0);
  }
}
