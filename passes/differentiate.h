// Reverse-mode differentiation: adds d loss / d parameter for every trainable parameter.
//
//   %1 = parameter {name="w"} : f32[4,3]        ... the forward nodes, then
//   %2 = matmul %0, %1 : f32[N,3]               %9 = matmul %0, %8 {transpose_a=true} : f32[4,3]
//   ...                                    ->   ...
//   output "loss" %7                            output "loss" %7
//                                               output "gradient:w" %9
//
// Walks the nodes between the weights and the loss backwards, each with the sum of the gradients
// that reached it, and lets the op's own rule (OpDef::gradient) append ordinary nodes. Nothing is
// computed towards data: the first layer has no input gradient. Gradients of broadcast operands
// are summed over what was broadcast.
//
// Requires: a scalar output "loss", and specialize_for_training. Guarantees: forward nodes keep
// their order; a gradient has its parameter's type, storage block included; a weight that the loss
// does not depend on gets no gradient. Throws CompileError at an op without a gradient, naming the
// parameters that it cuts off.
#pragma once

#include "ir/graph.h"

namespace sinter {

/// Prefix of the output that carries a parameter's gradient, until add_optimizer takes it up.
constexpr const char *kGradientPrefix = "gradient:";

void differentiate(Graph &);

} // namespace sinter
