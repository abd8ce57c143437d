#include "backends/program/kernel_table.h"

namespace sinter {

namespace {

/// One set of buffers serves the kernel of every variant.
void check_same_arguments(const KernelObject &a, const KernelObject &b) {
  SINTER_ASSERT(a.arguments.size() == b.arguments.size(), "{} and {} differ", a.symbol, b.symbol);
  for (size_t i = 0; i < a.arguments.size(); ++i)
    SINTER_ASSERT(a.arguments[i] == b.arguments[i], "{} and {} differ in argument {}", a.symbol,
                  b.symbol, i);
}

} // namespace

llvm::Constant *emit_kernel_table(ModuleWriter &m, const CompiledPhase &code,
                                  const std::string &name) {
  const size_t kernels = code.plan->kernels.size();
  std::vector<llvm::Constant *> rows;
  for (const std::vector<KernelObject> &variant : code.kernels) {
    SINTER_ASSERT(variant.size() == kernels, "{} kernel objects for {} kernels", variant.size(),
                  kernels);
    for (size_t i = 0; i < variant.size(); ++i) {
      const KernelObject &kernel = variant[i];
      check_same_arguments(kernel, code.kernels.front()[i]);
      const std::vector<llvm::Type *> parameters(kernel.arguments.size() + 1, m.abi.pointer);
      llvm::Constant *symbol = llvm::cast<llvm::Constant>(
          m.module
              .getOrInsertFunction(kernel.symbol,
                                   llvm::FunctionType::get(m.abi.i32, parameters, false))
              .getCallee());
      auto *function = llvm::cast<llvm::Function>(symbol);
      function->setVisibility(llvm::GlobalValue::HiddenVisibility);
      function->setDSOLocal(true);
      function->setDoesNotThrow();
      rows.push_back(symbol);
    }
  }
  return m.table(name, m.abi.pointer, rows);
}

} // namespace sinter
