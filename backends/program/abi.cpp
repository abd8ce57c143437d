#include "backends/program/abi.h"

#include "ir/diagnostics.h"
#include "runtime/sinter_runtime.h"

#include <array>
#include <cstring>

namespace sinter {

Abi::Abi(llvm::LLVMContext &c)
    : void_type(llvm::Type::getVoidTy(c)), i1(llvm::Type::getInt1Ty(c)),
      i8(llvm::Type::getInt8Ty(c)), i16(llvm::Type::getInt16Ty(c)), i32(llvm::Type::getInt32Ty(c)),
      i64(llvm::Type::getInt64Ty(c)), f32(llvm::Type::getFloatTy(c)),
      f64(llvm::Type::getDoubleTy(c)), pointer(llvm::PointerType::get(c, 0)) {
  const auto array = [](llvm::Type *type, uint64_t n) { return llvm::ArrayType::get(type, n); };
  const auto make = [](const char *name, const std::vector<llvm::Type *> &fields) {
    return llvm::StructType::create(fields, name);
  };
  llvm::Type *dims = array(i64, SINTER_MAX_RANK);
  llvm::Type *p = pointer;
  port = make("sinter_port", {p, p, dims, i64, i32, i32, i32, i32, i32});
  parameter = make("sinter_parameter",
                   {p, dims, i64, i64, i64, i32, i32, i32, f32, f32, p}); // b, then `initial`
  value = make("sinter_value", {i64, i64, i64, i32, i32, i32, i32});
  kernel = make("sinter_kernel", {p, p, p, p, f64, f64, f64, f64, p, i32});
  phase_info = make("sinter_phase_info", {p, i32, i32, i64, i64, i64, i64});
  scaling = make("sinter_scaling", {i32, f32});
  subset_step = make("sinter_subset_step", {i32, i32, i64, i64, f64, i64});
  subset = make("sinter_subset", {i32, i32, p});
  data = make("sinter_data", {p, p, i32, i32, subset, subset, subset, p, i32});
  monitor = make("sinter_monitor", {i32, i32, i32, f32});
  plateau = make("sinter_plateau", {monitor, f64, f32, i32, i32});
  training =
      make("sinter_training", {i32, i32, i32, f32, i32, i32, i32, array(monitor, 2), p, p, i32});
  model = make("sinter_model", {i32,
                                p,
                                p,
                                p,
                                p,
                                p,
                                i32,
                                i64,
                                i64,
                                p,
                                p,
                                p,
                                i32,
                                i32,
                                i32,
                                i32,
                                i32,
                                p,
                                array(phase_info, 3),
                                p,
                                i32,
                                i32,
                                p,
                                p,
                                p,
                                p,
                                p,
                                p,
                                p});
  context = make("sinter_context", {p, p, p, p, array(i32, 4), f32, f32, i32, i32, i32, i32, i64, p,
                                    p, i32, p, p, p, array(p, 3)});
  halide_dimension = make("halide_dimension_t", {i32, i32, i32, i32});
  halide_buffer = make("halide_buffer_t", {i64, p, p, i64, i32, i32, p, p});
}

namespace {

struct RuntimeFunction {
  const char *name;
  // The result, then the parameters: v void, i int32, l int64, f float, d double, p pointer.
  const char *signature;
};

constexpr std::array<RuntimeFunction, 31> kRuntimeFunctions = {{
    {"sinter_context_bytes", "lpii"},
    {"sinter_context_create", "ippliiilp"},
    {"sinter_context_destroy", "vp"},
    {"sinter_initialize_parameters", "vpl"},
    {"sinter_set_threads", "ipi"},
    {"sinter_begin_train_step", "vp"},
    {"sinter_check_infer", "ippip"},
    {"sinter_check_step", "ipippi"},
    {"sinter_device_begin", "ipippi"},
    {"sinter_device_end_infer", "ipip"},
    {"sinter_device_end_step", "ippp"},
    {"sinter_kernel_failed", "iip"},
    {"sinter_last_error", "p"},
    {"sinter_profile_begin", "d"},
    {"sinter_profile_end", "vpidi"},
    {"sinter_save", "ipp"},
    {"sinter_load", "ipp"},
    {"sinter_session_first_epoch", "ip"},
    {"sinter_session_epochs", "ip"},
    {"sinter_session_best", "dpi"},
    {"sinter_session_wait", "ip"},
    {"sinter_epoch_begin", "ipi"},
    {"sinter_validation_batches", "ip"},
    {"sinter_next_batch", "ipiipp"},
    {"sinter_batch_done", "vplp"},
    {"sinter_report_nonfinite", "ipii"},
    {"sinter_keep_best", "vpii"},
    {"sinter_epoch_end", "ipippi"},
    {"sinter_training_end", "ipi"},
    {"sinter_main", "ipip"},
    {"sinter_fail", "iip."}, // variadic
}};

llvm::Type *type_of(const Abi &abi, char letter) {
  switch (letter) {
  case 'v':
    return abi.void_type;
  case 'i':
    return abi.i32;
  case 'l':
    return abi.i64;
  case 'f':
    return abi.f32;
  case 'd':
    return abi.f64;
  case 'p':
    return abi.pointer;
  }
  SINTER_UNREACHABLE("signature letter '{}'", letter);
}

llvm::FunctionType *function_type(const Abi &abi, const char *signature) {
  std::vector<llvm::Type *> parameters;
  bool variadic = false;
  for (const char *letter = signature + 1; *letter != '\0'; ++letter) {
    if (*letter == '.')
      variadic = true;
    else
      parameters.push_back(type_of(abi, *letter));
  }
  return llvm::FunctionType::get(type_of(abi, *signature), parameters, variadic);
}

} // namespace

llvm::FunctionCallee runtime_function(llvm::Module &module, const Abi &abi, const char *name) {
  for (const RuntimeFunction &function : kRuntimeFunctions) {
    if (std::strcmp(function.name, name) != 0)
      continue;
    llvm::FunctionCallee callee =
        module.getOrInsertFunction(name, function_type(abi, function.signature));
    llvm::cast<llvm::Function>(callee.getCallee())->setDoesNotThrow();
    return callee;
  }
  SINTER_UNREACHABLE("the runtime has no function {}", name);
}

} // namespace sinter
