// What the records of the elementwise families share. Private to ir/ops/.
#pragma once

#include "ir/op.h"

/// Examples whose last node applies an op, given by its name as a literal, to plain inputs.
#define SINTER_UNARY_EXAMPLE(op)                                                                   \
  "%0 = input {name=\"x\", type=f32[N,4,5]} : f32[N,4,5]\n%1 = " op " %0 : f32[N,4,5]"
#define SINTER_BINARY_EXAMPLE(op, result)                                                          \
  "%0 = input {name=\"a\", type=f32[N,4,5]} : f32[N,4,5]\n"                                        \
  "%1 = input {name=\"b\", type=f32[N,4,5]} : f32[N,4,5]\n%2 = " op " %0, %1 : " result "[N,4,5]"
/// The same of x * scale + offset, for a function that is not defined everywhere.
#define SINTER_SCALED_EXAMPLE(op, scale, offset)                                                   \
  "%0 = input {name=\"x\", type=f32[N,4,5]} : f32[N,4,5]\n"                                        \
  "%1 = affine %0 {scale=" scale ", offset=" offset "} : f32[N,4,5]\n%2 = " op " %1 : f32[N,4,5]"

namespace sinter {

/// The parts of an elementwise record that ops of one family have in common.
struct ElementwiseFamily {
  int inputs;
  TensorType (*infer_type)(const TypeContext &);

  constexpr OpDef operator()(std::string_view summary, std::string_view example,
                             std::initializer_list<bool Traits::*> properties,
                             void (*gradient)(GradientBuilder &), void (*compute)(KernelBuilder &),
                             Cost (*cost)(const Graph &, const Node &) = nullptr) const {
    return {summary,    example,  inputs,  inputs, {OpClass::elementwise, properties},
            infer_type, gradient, compute, cost};
  }
};

} // namespace sinter
