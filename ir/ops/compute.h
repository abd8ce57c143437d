// The Halide algorithms of ir/ops/*_compute.cpp, one a non-leaf op: compute_relu is what the
// record ops::relu refers to. They stand apart from the records so that only they include
// Halide.h. Private to ir/ops/.
#pragma once

namespace sinter {

class KernelBuilder;

#define OP(name, attributes) void compute_##name(KernelBuilder &);
#include "ir/ops.def"
#undef OP

} // namespace sinter
