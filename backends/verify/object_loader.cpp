#include "backends/verify/object_loader.h"

#include "ir/diagnostics.h"

#include <llvm/ExecutionEngine/Orc/LLJIT.h>
#include <llvm/Support/MemoryBuffer.h>
#include <llvm/Support/TargetSelect.h>

// What compiled kernels call; defined in runtime/kernel_support.c with Halide's signatures and in
// runtime/bf16.c. Only the addresses matter here.
extern "C" {
void halide_do_par_for();
void halide_malloc();
void halide_free();
void halide_error();
void halide_error_buffer_allocation_too_large();
void halide_error_out_of_memory();
void halide_error_requirement_failed();
void halide_error_specialize_fail();
void sinter_bf16_gradient();
void sinter_bf16_products();
void sinter_bf16_transpose();
}

namespace sinter {

namespace {

template <typename T> T unwrap(llvm::Expected<T> value) {
  if (!value)
    SINTER_UNREACHABLE("loading kernels: {}", llvm::toString(value.takeError()));
  return std::move(*value);
}

void check(llvm::Error error) {
  if (error)
    SINTER_UNREACHABLE("loading kernels: {}", llvm::toString(std::move(error)));
}

struct RuntimeFunction {
  const char *name;
  void (*address)();
};

constexpr RuntimeFunction kRuntimeFunctions[] = {
    {"halide_do_par_for", halide_do_par_for},
    {"halide_malloc", halide_malloc},
    {"halide_free", halide_free},
    {"halide_error", halide_error},
    {"halide_error_buffer_allocation_too_large", halide_error_buffer_allocation_too_large},
    {"halide_error_out_of_memory", halide_error_out_of_memory},
    {"halide_error_requirement_failed", halide_error_requirement_failed},
    {"halide_error_specialize_fail", halide_error_specialize_fail},
    {"sinter_bf16_gradient", sinter_bf16_gradient},
    {"sinter_bf16_products", sinter_bf16_products},
    {"sinter_bf16_transpose", sinter_bf16_transpose},
};

} // namespace

struct ObjectLoader::Jit {
  std::unique_ptr<llvm::orc::LLJIT> session;
};

ObjectLoader::ObjectLoader() : jit_(std::make_unique<Jit>()) {
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  jit_->session = unwrap(llvm::orc::LLJITBuilder().create());
  llvm::orc::JITDylib &library = jit_->session->getMainJITDylib();
  llvm::orc::SymbolMap symbols;
  for (const RuntimeFunction &function : kRuntimeFunctions)
    symbols[jit_->session->mangleAndIntern(function.name)] = llvm::JITEvaluatedSymbol(
        llvm::pointerToJITTargetAddress(function.address), llvm::JITSymbolFlags::Exported);
  check(library.define(llvm::orc::absoluteSymbols(std::move(symbols))));
  library.addGenerator(unwrap(llvm::orc::DynamicLibrarySearchGenerator::GetForCurrentProcess(
      jit_->session->getDataLayout().getGlobalPrefix())));
}

ObjectLoader::~ObjectLoader() = default;

void ObjectLoader::add(const std::string &elf, const std::string &name) {
  check(jit_->session->addObjectFile(llvm::MemoryBuffer::getMemBufferCopy(elf, name)));
}

void *ObjectLoader::find(const std::string &symbol) {
  return llvm::jitTargetAddressToPointer<void *>(
      unwrap(jit_->session->lookup(symbol)).getAddress());
}

} // namespace sinter
