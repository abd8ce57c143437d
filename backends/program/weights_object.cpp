#include "backends/program/weights_object.h"

#include "backends/program/code_generator.h"
#include "runtime/sinter_runtime.h"

#include <algorithm>
#include <cstring>
#include <llvm/Target/TargetMachine.h>

namespace sinter {

namespace {

constexpr const char *kSymbol = "sinter_weights";

const ParameterSlot &find_slot(const Program &program, const std::string &name) {
  const auto found =
      std::find_if(program.parameters.begin(), program.parameters.end(),
                   [&](const ParameterSlot &slot) { return slot.attrs.name == name; });
  if (found == program.parameters.end())
    throw CompileError({}, "the weights have {}, the model has no such parameter", name);
  return *found;
}

} // namespace

PackedWeights pack_weights(const Program &program, const std::vector<InitialWeights> &weights) {
  PackedWeights packed;
  for (const InitialWeights &given : weights) {
    const TensorType &type = find_slot(program, given.parameter).attrs.type;
    if (static_cast<int64_t>(given.values.size()) != type.elements())
      throw CompileError({}, "the weights have {} values for {}, the model wants {}",
                         given.values.size(), given.parameter, str(type.shape));
    packed.bytes.resize((packed.bytes.size() + SINTER_ALIGNMENT - 1) / SINTER_ALIGNMENT *
                        SINTER_ALIGNMENT);
    packed.offsets[given.parameter] = static_cast<int64_t>(packed.bytes.size());
    packed.bytes.append(reinterpret_cast<const char *>(given.values.data()),
                        given.values.size() * sizeof(float));
  }
  return packed;
}

llvm::Constant *declare_weights(ModuleWriter &writer) {
  auto *symbol = new llvm::GlobalVariable(writer.module, writer.abi.i8, /*isConstant=*/true,
                                          llvm::GlobalValue::ExternalLinkage, nullptr, kSymbol);
  symbol->setVisibility(llvm::GlobalValue::HiddenVisibility);
  symbol->setDSOLocal(true);
  return symbol;
}

std::string weights_object(const std::string &bytes) {
  llvm::LLVMContext context;
  context.enableOpaquePointers();
  const std::unique_ptr<llvm::TargetMachine> machine = host_target_machine();
  llvm::Module module("weights", context);
  prepare_module(module, *machine);
  // As bytes: LLVM writes an array of floats element by element.
  llvm::Constant *content =
      llvm::ConstantDataArray::getRaw(bytes, bytes.size(), llvm::Type::getInt8Ty(context));
  auto *symbol = new llvm::GlobalVariable(module, content->getType(), /*isConstant=*/true,
                                          llvm::GlobalValue::ExternalLinkage, content, kSymbol);
  symbol->setVisibility(llvm::GlobalValue::HiddenVisibility);
  symbol->setAlignment(llvm::Align(SINTER_ALIGNMENT));
  return object_code(module, *machine);
}

} // namespace sinter
