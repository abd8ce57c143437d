#include "backends/halide/machine_code.h"

#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>
#include <llvm/Support/raw_ostream.h>

namespace sinter {

namespace {

constexpr uint64_t kSecondCache = 2; // llvm.prefetch's locality: prefetcht1

/// Has prefetched lines come into the second cache, where Halide's runtime has them bypass it: they
/// are read several times.
void keep_prefetched_lines(llvm::Module &module) {
  for (llvm::Function &function : module)
    for (llvm::BasicBlock &block : function)
      for (llvm::Instruction &instruction : block)
        if (auto *call = llvm::dyn_cast<llvm::IntrinsicInst>(&instruction);
            call && call->getIntrinsicID() == llvm::Intrinsic::prefetch) {
          auto *type = call->getArgOperand(1)->getType();
          call->setArgOperand(1, llvm::ConstantInt::get(type, 0)); // to be read
          call->setArgOperand(2, llvm::ConstantInt::get(type, kSecondCache));
        }
}

std::string generate(const Halide::Module &module,
                     void (*write)(llvm::Module &, Halide::Internal::LLVMOStream &)) {
  llvm::LLVMContext context;
  const std::unique_ptr<llvm::Module> code = compile_module_to_llvm_module(module, context);
  keep_prefetched_lines(*code);
  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  write(*code, stream);
  return {bytes.begin(), bytes.end()};
}

} // namespace

std::string generate_object(const Halide::Module &module) {
  return generate(module, Halide::compile_llvm_module_to_object);
}

std::string generate_assembly(const Halide::Module &module) {
  return generate(module, Halide::compile_llvm_module_to_assembly);
}

} // namespace sinter
