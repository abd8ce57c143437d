// The contract of runtime/sinter_runtime.h and Halide's kernel arguments as LLVM types, field for
// field. A test compares every offset with what the C compiler makes of the header.
#pragma once

#include <llvm/IR/DerivedTypes.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>

namespace sinter {

/// Types of generated code. Field order is the header's; fields that code reads or writes have
/// their index named below.
struct Abi {
  explicit Abi(llvm::LLVMContext &);

  llvm::Type *void_type;
  llvm::IntegerType *i1, *i8, *i16, *i32, *i64;
  llvm::Type *f32, *f64;
  llvm::PointerType *pointer; // opaque: what it points to is said where it is used

  llvm::StructType *port, *parameter, *value, *kernel, *phase_info;
  llvm::StructType *scaling, *subset_step, *subset, *data, *monitor, *plateau, *training, *model;
  llvm::StructType *context;
  llvm::StructType *halide_dimension, *halide_buffer;
};

namespace context_field {
enum : unsigned {
  model,
  parameters,
  arena,
  pool,
  rng,
  learning_rate,
  step,
  variant,
  max_batch,
  phase_limit,
  threads,
  steps_done,
  profile,
  watch,
  prepared,
  kernel_parameters,
  numbers,
  device,
  device_tensors // arrays by port: inputs, labels, outputs
};
}

namespace halide_buffer_field {
enum : unsigned {
  device,
  device_interface,
  host,
  flags,
  type, // halide_type_t {u8 code, u8 bits, u16 lanes} as one little-endian word
  dimensions,
  dim,
  padding
};
}

namespace halide_dimension_field {
enum : unsigned { min, extent, stride, flags };
}

/// Declares (once) a function of the runtime by its name in the header.
llvm::FunctionCallee runtime_function(llvm::Module &, const Abi &, const char *name);

} // namespace sinter
