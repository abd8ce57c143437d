// What every type rule refuses, with the text that the user sees.

#include "ir/diagnostics.h"
#include "ir/parse.h"
#include "ir/print.h"

#include <doctest/doctest.h>
#include <fmt/core.h>

using namespace sinter;

namespace {

struct Refusal {
  const char *operands; // types of inputs %0, %1, ... separated by spaces
  const char *node;     // the op with its operands and attributes
  const char *error;
};

std::string graph_text(const std::string &operands, const std::string &node) {
  std::string text;
  int id = 0;
  size_t begin = 0;
  while (begin < operands.size()) {
    const size_t end = std::min(operands.find(' ', begin), operands.size());
    const std::string type = operands.substr(begin, end - begin);
    const bool batched = type.find("[N") != std::string::npos || type[0] != 'f';
    text += fmt::format("%{} = {} {{name=\"v{}\", type={}}} : {}\n", id,
                        batched ? "input" : "parameter", id, type, type);
    ++id;
    begin = end + 1;
  }
  return text + fmt::format("%{} = {} : f32[] @\"dense_1\"", id, node);
}

const Refusal refusals[] = {
    // leaves
    {"", "input {name=\"x\", role=\"datum\", type=f32[N,3]}",
     "input \"x\" has unknown role \"datum\""},
    {"", "input {name=\"r\", role=\"rng\", type=i32[2]}", "input \"r\" expects i32[4], got i32[2]"},
    {"", "parameter {name=\"w\", type=f32[N,3]}",
     "parameter \"w\" has a batch dimension in shape [N,3]"},
    {"", "parameter {name=\"w\", constraint=\"max_norm\", norm_axes=[1], type=f32[3]}",
     "parameter \"w\" of shape [3] has norms over the axes [1]"},
    {"", "parameter {name=\"w\", initializer=\"glorot\", type=f32[3]}",
     "parameter \"w\" has unknown initializer \"glorot\""},
    {"", "parameter {name=\"w\", initializer=\"identity\", type=f32[3,3,3]}",
     "parameter \"w\" of shape [3,3,3] starts as an identity, which is a matrix"},
    {"", "parameter {name=\"w\", initializer=\"orthogonal\", type=f32[3]}",
     "parameter \"w\" of shape [3] starts orthogonal, which takes two dimensions"},
    {"", "constant {values=[1,2], type=f32[3]}", "constant of type f32[3] expects 3 values, got 2"},
    // windows
    {"f32[N,4,4,2]", "max_pool2d %0 {strides=[4294967296,1]}",
     "max_pool2d expects strides of at least 1, got 4294967296"},
    {"f32[N,4,4,2]",
     "max_pool2d %0 {size=[2,3], dilations=[1,2147483647], padding=[0,2147483648,0,0]}",
     "max_pool2d pads 4 by 2147483648 and 0, beyond the limit of 2147483647 elements"},
    {"f32[N,2,4,2]", "average_pool2d %0 {size=[2,2], dilations=[3,1], padding=[1,0,1,0]}",
     "average_pool2d has padded windows that miss all of an input of 2: their dilation is 3"},
    {"f32[N,4,4,2]", "channel_sum %0 {before=2147483647}",
     "channel_sum expects a reach between 0 and 2147483646, got 2147483647"},
    {"f32[N,4] i32[N]", "gather_gradient %0, %1 {axis=9223372036854775807, extent=4}",
     "gather_gradient expects dy with the indices' shape [N] at axis 9223372036854775807, got "
     "[N,4]"},
    // elementwise
    {"f32[N,4] f32[3]", "add %0, %1", "add expects shapes that broadcast, got [N,4] and [3]"},
    {"f32[N] f32[4,1]", "add %0, %1", "add expects shapes that broadcast, got [N] and [4,1]"},
    {"u8[N,4] f32[4]", "multiply %0, %1",
     "multiply expects operands of one element type, got u8[N,4] and f32[4]"},
    {"f32[3,4;block=4] f32[3,4]", "add %0, %1",
     "add expects equal storage, got f32[3,4; block=4] and f32[3,4]"},
    {"f32[3,4;block=4] f32[4]", "add %0, %1",
     "add expects equal storage, got f32[3,4; block=4] and f32[4]"},
    {"f32[N,4] f32[N,4] f32[N,4]", "select %0, %1, %2",
     "select expects u8 for operand 0, got f32[N,4]"},
    {"u8[N,4] f32[N,4] f32[3]", "select %0, %1, %2",
     "select expects shapes that broadcast, got [N,4], [N,4] and [3]"},
    {"u8[N,4] f32[N,4] i32[N,4]", "select %0, %1, %2",
     "select expects operands of one element type, got u8[N,4], f32[N,4] and i32[N,4]"},
    {"f32[3,4;block=4] f32[3,4;block=4]", "mod %0, %1",
     "mod expects row-major storage, got f32[3,4; block=4]"},
    {"u8[N,4]", "negate %0", "negate expects f32 or i32, got u8[N,4]"},
    {"f32[N,4] f32[3]", "bias_add %0, %1", "bias_add expects a bias of shape [4], got [3]"},
    {"f32[N,4] f32[N,3]", "relu_gradient %0, %1",
     "relu_gradient expects operands 0 and 1 of one type, got f32[N,4] and f32[N,3]"},
    // contractions
    {"f32[N,8,8,1] f32[3,3,3,4]", "conv2d %0, %1", "conv2d expects 3 input channels, got 1"},
    {"f32[N,8,8,4] f32[3,3,2,3]", "conv2d %0, %1 {groups=2}",
     "conv2d expects filters in multiples of 2 groups, got 3"},
    {"f32[N,3,3,1] f32[5,5,1,4]", "conv2d %0, %1", "conv2d window 5x5 does not fit input 3x3"},
    {"f32[N,4,4,1] f32[3,3,1,4]", "conv2d %0, %1 {dilations=[2,2]}",
     "conv2d window 5x5 does not fit input 4x4"},
    {"f32[N,4,4,1] f32[3,3,1,4]", "conv2d %0, %1 {strides=[0,1]}",
     "conv2d expects strides of at least 1, got 0"},
    {"f32[N,4,4,1] f32[3,3,1,4]", "conv2d %0, %1 {padding=[0,-1,0,0]}",
     "conv2d expects padding of at least 0, got -1"},
    {"f32[N,4,4,1] f32[3,3,1,4]", "conv2d %0, %1 {groups=0}",
     "conv2d expects at least 1 group, got 0"},
    {"f32[N,16] f32[3,3,1,4]", "conv2d %0, %1",
     "conv2d expects an input of 4 dimensions, got 2 in shape [N,16]"},
    {"f32[N,3,3,4] f32[3,3,1,4]", "conv2d_input_gradient %0, %1 {size=[4,4]}",
     "conv2d_input_gradient expects dy of shape [N,2,2,4], got [N,3,3,4]"},
    {"f32[N,4,4,1] f32[N,3,3,4]", "conv2d_filter_gradient %0, %1 {size=[3,3]}",
     "conv2d_filter_gradient expects dy of shape [N,2,2,4], got [N,3,3,4]"},
    {"f32[N,7] f32[5,3]", "matmul %0, %1",
     "matmul expects equal inner extents, got [N,7] times [5,3]"},
    {"f32[3,7] f32[N,7]", "matmul %0, %1 {transpose_b=true}",
     "matmul expects the batch in the first factor, got [3,7] times [7,N]"},
    {"f32[N,7] f32[7,3]", "matmul %0, %1 {block=16}",
     "matmul has storage block 16 in a result of shape [N,3]"},
    {"f32[N,2,7] f32[7,3]", "matmul %0, %1",
     "matmul expects matrices of 2 dimensions, got 3 in shape [N,2,7]"},
    // pooling
    {"f32[N,3,3,2]", "max_pool2d %0 {size=[5,5]}", "max_pool2d window 5x5 does not fit input 3x3"},
    {"f32[N,3,3,2]", "average_pool2d %0 {padding=[2,0,0,0]}",
     "average_pool2d expects padding between 0 and the window of 2, got 2 and 0"},
    {"f32[N,2,2,2] f32[N,2,2,2]", "max_pool2d_gradient %0, %1 {input_size=[4,4]}",
     "max_pool2d_gradient expects positions of type u8[N,2,2,2], got f32[N,2,2,2]"},
    // reductions
    {"f32[N,4]", "reduce_sum %0 {axes=[2]}", "reduce_sum has axis 2 out of range for 2 dimensions"},
    {"f32[N,4]", "reduce_sum %0 {axes=[1,0]}", "reduce_sum expects ascending axes, got 0 after 1"},
    {"f32[N,4]", "reduce_max %0", "reduce_max expects at least 1 axis, got none"},
    {"f32[N,4]", "broadcast %0 {shape=[N,3,5], axes=[1]}",
     "broadcast along the axes of [N,3,5] expects shape [N,5], got [N,4]"},
    {"f32[N,4]", "argmax %0", "argmax goes over the batch of [N,4]"},
    // normalisation
    {"f32[N,4] f32[4] f32[3] f32[4] f32[4]", "batch_norm %0, %1, %2, %3, %4",
     "batch_norm expects beta of shape [4], got [3]"},
    {"f32[N]", "softmax %0", "softmax expects rows of classes, got [N]"},
    {"f32[N,4]", "dropout %0 {rate=1}", "dropout expects a rate in [0, 1), got 1"},
    {"f32[N,4]", "dropout_mask %0 {shape=[N,4]}",
     "dropout_mask expects an rng key of type i32[4], got f32[N,4]"},
    // movement
    {"f32[N,4,3]", "reshape %0 {shape=[N,10]}",
     "reshape cannot turn [N,4,3] into [N,10]: 12 elements are not 10"},
    {"f32[N,4,3]", "transpose %0 {permutation=[1,0,2]}",
     "transpose would move the batch of [N,4,3] to axis 1"},
    {"f32[N,4,3]", "transpose %0 {permutation=[0,1,1]}",
     "transpose has axis 1 twice in its permutation"},
    {"f32[N,4]", "pad %0 {low=[1,0], high=[0,0]}", "pad would pad the batch by 1 and 0"},
    {"f32[N,4]", "slice %0 {begin=[0,2], end=[N,5]}",
     "slice [2, 5) does not fit dimension 1 of [N,4]"},
    {"f32[N,4,3] f32[N,5,2]", "concat %0, %1 {axis=2}",
     "concat expects operands that differ along axis 2 only, got f32[N,4,3] and f32[N,5,2]"},
    {"f32[N,4] f32[N,4]", "concat %0, %1", "concat would join batches of [N,4]"},
    // losses
    {"f32[N]", "one_hot %0 {depth=3}", "one_hot expects integer labels, got f32[N]"},
    {"f32[N,4] f32[N,3]", "softmax_cross_entropy %0, %1",
     "softmax_cross_entropy expects a prediction and a target of one shape, got [N,4] and [N,3]"},
    {"f32[N] f32[N]", "mean_squared_error %0, %1",
     "mean_squared_error expects rows of classes, got [N]"},
    {"f32[N,1] f32[N,4] f32[N,4]", "binary_crossentropy_gradient %0, %1, %2",
     "binary_crossentropy_gradient expects dy of shape [N], got [N,1]"},
    // optimizers
    {"f32[3] f32[3] f32[3]", "sgd_update %0, %1, %2",
     "sgd_update expects a scalar learning rate of type f32[], got f32[3]"},
    {"f32[3,5;block=4] f32[3,5] f32[]", "sgd_update %0, %1, %2",
     "sgd_update expects operands 0 and 1 of one type, got f32[3,5; block=4] and f32[3,5]"},
    {"f32[3] f32[3]", "moving_average %0, %1 {decay=1.5}",
     "moving_average expects a decay in [0, 1], got 1.5"},
};

} // namespace

TEST_CASE("a type rule names the op, both values and the layer") {
  for (const Refusal &refusal : refusals) {
    INFO(std::string(refusal.node) << " of " << std::string(refusal.operands));
    std::string text = "accepted";
    try {
      parse_graph(graph_text(refusal.operands, refusal.node), "test");
    } catch (const CompileError &error) {
      text = error.text();
    }
    CHECK(text == refusal.error + std::string(" (layer dense_1)"));
  }
}

TEST_CASE("a shape without a batch first, with empty or too many elements is refused") {
  const auto refuse = [](OpKind kind, Attrs attributes) -> std::string {
    try {
      Graph().append(kind, {}, std::move(attributes));
    } catch (const CompileError &error) {
      return error.text();
    }
    return "accepted";
  };
  CHECK(refuse(OpKind::input,
               InputAttrs{"x", "data", {ElementType::f32, {kBatch, 70000, 70000}, 0}}) ==
        "input has shape [N,70000,70000], beyond the limit of 2147483647 elements");
  ParameterAttrs parameter;
  parameter.type.shape = {3, 0};
  CHECK(refuse(OpKind::parameter, parameter) ==
        "parameter has extent 0 in dimension 1 of shape [3,0]: extents are positive, and only "
        "dimension 0 may be the batch");
  parameter.type = {ElementType::f32, {70000, 20000, 1}, 16};
  CHECK(
      refuse(OpKind::parameter, parameter) ==
      "parameter has blocked storage [1,70000,20000,16], beyond the limit of 2147483647 elements");
}

TEST_CASE("a window of more than 256 positions has i32 positions") {
  const Graph graph = parse_graph(R"(%0 = input {name="x", type=f32[N,20,20,3]} : f32[N,20,20,3]
%1 = max_pool2d_argmax %0 {size=[16,16]} : u8[N,3,3,3]
%2 = max_pool2d_argmax %0 {size=[17,17]} : i32[N,2,2,3])",
                                  "test");
  CHECK(graph.type({1}).element == ElementType::u8);
  CHECK(graph.type({2}).element == ElementType::i32);
}

TEST_CASE("a product over the batch, in blocked storage, of any transposition") {
  const Graph graph = parse_graph(R"(%0 = input {name="x", type=f32[N,7]} : f32[N,7]
%1 = input {name="dy", type=f32[N,5]} : f32[N,5]
%2 = matmul %0, %1 {transpose_a=true, block=16} : f32[7,5; block=16]
%3 = matmul %1, %2 {transpose_b=true} : f32[N,7]
%4 = matmul %2, %2 {transpose_a=true} : f32[5,5])",
                                  "test");
  CHECK(graph.type({2}).storage_shape() == Shape{1, 7, 16});
}

TEST_CASE("a bias, a single value and a column broadcast") {
  parse_graph(R"(%0 = input {name="x", type=f32[N,4,5]} : f32[N,4,5]
%1 = input {name="a", type=f32[5]} : f32[5]
%2 = input {name="b", type=f32[]} : f32[]
%3 = input {name="c", type=f32[4,1]} : f32[4,1]
%4 = add %0, %1 : f32[N,4,5]
%5 = multiply %2, %4 : f32[N,4,5]
%6 = add %5, %3 : f32[N,4,5]
%7 = parameter {name="w", type=f32[3,5; block=4]} : f32[3,5; block=4]
%8 = multiply %7, %2 : f32[3,5; block=4])",
              "test");
}
