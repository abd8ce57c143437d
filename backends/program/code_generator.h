// LLVM's code generator for host code: verification, the -O2 pipeline, objects and assembly.
#pragma once

#include <llvm/IR/Module.h>
#include <memory>
#include <string>

namespace llvm {
class TargetMachine;
}

namespace sinter {

/// For the baseline of this machine's architecture, position-independent, a section a function
/// so that a linker can drop what is not used.
std::unique_ptr<llvm::TargetMachine> host_target_machine();

/// Sets the module's triple and data layout; before anything asks for a type's size.
void prepare_module(llvm::Module &, llvm::TargetMachine &);

/// InternalError when the module is malformed.
void verify_module(const llvm::Module &);
void optimize_module(llvm::Module &, llvm::TargetMachine &);

std::string object_code(llvm::Module &, llvm::TargetMachine &);
std::string assembly_text(llvm::Module &, llvm::TargetMachine &);
std::string llvm_text(const llvm::Module &);

} // namespace sinter
