#include "ir/op.h"
#include "ir/parse.h"

#include <doctest/doctest.h>

using namespace sinter;

namespace {

Cost last_cost(const std::string &text) {
  const Graph graph = parse_graph(text, "test");
  return cost(graph, {graph.size() - 1});
}

const std::string image = "%0 = input {name=\"x\", type=f32[N,14,14,32]} : f32[N,14,14,32]\n";
const std::string filter = "%1 = parameter {name=\"w\", type=f32[3,3,32,64]} : f32[3,3,32,64]\n";
const std::string dy = "%2 = input {name=\"dy\", type=f32[N,14,14,64]} : f32[N,14,14,64]\n";
constexpr double conv_flops = 2.0 * 3 * 3 * 32 * 64 * 14 * 14; // a multiply-add is two

} // namespace

TEST_CASE("a convolution and its two gradients cost the same") {
  const std::string operands = image + filter + dy;
  for (const char *op :
       {"conv2d %0, %1 {padding=[1,1,1,1]} : f32[N,14,14,64]",
        "conv2d_input_gradient %2, %1 {padding=[1,1,1,1], size=[14,14]} : f32[N,14,14,32]",
        "conv2d_filter_gradient %0, %2 {padding=[1,1,1,1], size=[3,3]} : f32[3,3,32,64]"}) {
    INFO(op);
    const Cost c = last_cost(operands + "%3 = " + op);
    CHECK(c.flops_per_sample == conv_flops);
    CHECK(c.flops_fixed == 0);
  }
}

TEST_CASE("groups divide the work of a convolution") {
  const Cost c =
      last_cost(image + "%1 = parameter {name=\"w\", type=f32[3,3,1,32]} : f32[3,3,1,32]\n"
                        "%2 = conv2d %0, %1 {padding=[1,1,1,1], groups=32} : f32[N,14,14,32]");
  CHECK(c.flops_per_sample == 2.0 * 9 * 32 * 14 * 14);
}

TEST_CASE("a matrix product counts per sample whichever extent is the batch") {
  const std::string factors = "%0 = input {name=\"x\", type=f32[N,7]} : f32[N,7]\n"
                              "%1 = input {name=\"dy\", type=f32[N,5]} : f32[N,5]\n"
                              "%2 = parameter {name=\"w\", type=f32[7,5]} : f32[7,5]\n";
  CHECK(last_cost(factors + "%3 = matmul %0, %2 : f32[N,5]").flops_per_sample == 70);
  CHECK(last_cost(factors + "%3 = matmul %1, %2 {transpose_b=true} : f32[N,7]").flops_per_sample ==
        70);
  CHECK(last_cost(factors + "%3 = matmul %0, %1 {transpose_a=true} : f32[7,5]").flops_per_sample ==
        70);
  const Cost fixed = last_cost(factors + "%3 = matmul %2, %2 {transpose_b=true} : f32[7,7]");
  CHECK(fixed.flops_per_sample == 0);
  CHECK(fixed.flops_fixed == 490);
}

TEST_CASE("moved data and views cost nothing, maths an operation an element") {
  CHECK(last_cost(image + "%1 = reshape %0 {shape=[N,6272]} : f32[N,6272]").flops_per_sample == 0);
  CHECK(last_cost(image + "%1 = relu %0 : f32[N,14,14,32]").flops_per_sample == 14 * 14 * 32);
  CHECK(last_cost(image + "%1 = reduce_mean %0 {axes=[0,1,2]} : f32[32]").flops_per_sample ==
        14 * 14 * 32);
  CHECK(last_cost("%0 = parameter {name=\"w\", type=f32[10]} : f32[10]\n"
                  "%1 = square %0 : f32[10]")
            .flops_fixed == 10);
}

TEST_CASE("no op's cost is negative, and only leaves and movements are free") {
  for (OpKind kind : all_op_kinds()) {
    INFO(name(kind));
    const Cost c = last_cost(std::string(op_def(kind).example));
    CHECK(c.flops_per_sample >= 0);
    CHECK(c.flops_fixed >= 0);
    if (op_def(kind).traits.op_class == OpClass::contraction)
      CHECK(c.flops_per_sample + c.flops_fixed > 0);
  }
}
