#include "backends/program/code_generator.h"

#include "ir/diagnostics.h"

#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Verifier.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Support/CodeGen.h>
#include <llvm/Support/Host.h>
#include <llvm/Support/SmallVectorMemoryBuffer.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Target/TargetMachine.h>
#include <mutex>

namespace sinter {

std::unique_ptr<llvm::TargetMachine> host_target_machine() {
  static std::once_flag once;
  std::call_once(once, [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
  });
  const llvm::Triple triple(llvm::sys::getDefaultTargetTriple());
  std::string error;
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget(triple.str(), error);
  SINTER_ASSERT(target != nullptr, "{}", error);
  const char *cpu = triple.getArch() == llvm::Triple::x86_64 ? "x86-64" : "generic";
  llvm::TargetOptions options;
  options.FunctionSections = true;
  options.DataSections = true;
  return std::unique_ptr<llvm::TargetMachine>(
      target->createTargetMachine(triple.str(), cpu, /*Features=*/"", options, llvm::Reloc::PIC_,
                                  llvm::None, llvm::CodeGenOpt::Default));
}

void prepare_module(llvm::Module &module, llvm::TargetMachine &machine) {
  module.setTargetTriple(machine.getTargetTriple().str());
  module.setDataLayout(machine.createDataLayout());
  module.setPICLevel(llvm::PICLevel::BigPIC);
}

void verify_module(const llvm::Module &module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  const bool broken = llvm::verifyModule(module, &stream);
  SINTER_ASSERT(!broken, "{}", stream.str());
}

void optimize_module(llvm::Module &module, llvm::TargetMachine &machine) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager call_graph;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(&machine);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(call_graph);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, call_graph, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O2).run(module, modules);
}

namespace {

std::string generate(llvm::Module &module, llvm::TargetMachine &machine,
                     llvm::CodeGenFileType type) {
  llvm::SmallString<0> code;
  llvm::raw_svector_ostream stream(code);
  llvm::legacy::PassManager passes;
  const bool unsupported = machine.addPassesToEmitFile(passes, stream, nullptr, type);
  SINTER_ASSERT(!unsupported, "{} has no code generator", module.getTargetTriple());
  passes.run(module);
  return std::string(code.data(), code.size());
}

} // namespace

std::string object_code(llvm::Module &module, llvm::TargetMachine &machine) {
  return generate(module, machine, llvm::CGFT_ObjectFile);
}

std::string assembly_text(llvm::Module &module, llvm::TargetMachine &machine) {
  return generate(module, machine, llvm::CGFT_AssemblyFile);
}

std::string llvm_text(const llvm::Module &module) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  module.print(stream, nullptr);
  return stream.str();
}

} // namespace sinter
