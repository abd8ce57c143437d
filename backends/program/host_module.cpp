#include "backends/program/host_module.h"

#include "backends/program/code_generator.h"
#include "backends/program/entry_points.h"
#include "backends/program/model_tables.h"
#include "backends/program/step_functions.h"
#include "backends/program/training_loop.h"

#include <llvm/Target/TargetMachine.h>

namespace sinter {

namespace {

ModelFunctions emit_functions(ModuleWriter &writer, const CompiledProgram &compiled,
                              ModuleForm form) {
  ModelFunctions functions;
  if (compiled.phases[SINTER_PREPARE].plan != nullptr)
    functions.prepare = emit_step_function(writer, compiled, SINTER_PREPARE, nullptr);
  functions.infer = emit_step_function(writer, compiled, SINTER_INFER, functions.prepare);
  if (compiled.phases[SINTER_EVAL].plan != nullptr)
    functions.eval_step = emit_step_function(writer, compiled, SINTER_EVAL, functions.prepare);
  if (compiled.phases[SINTER_TRAIN].plan != nullptr) {
    functions.train_step = emit_step_function(writer, compiled, SINTER_TRAIN, nullptr);
    if (form == ModuleForm::executable)
      functions.train_loop = emit_training_loop(writer, compiled, functions);
  }
  return functions;
}

std::vector<std::string> exported_functions(const llvm::Module &module) {
  std::vector<std::string> names;
  for (const llvm::Function &function : module)
    if (!function.isDeclaration() && function.hasExternalLinkage())
      names.push_back(function.getName().str());
  return names;
}

std::string generate(llvm::Module &module, llvm::TargetMachine &machine, ModuleOutput output) {
  switch (output) {
  case ModuleOutput::object:
    return object_code(module, machine);
  case ModuleOutput::llvm:
    return llvm_text(module);
  case ModuleOutput::assembly:
    return assembly_text(module, machine);
  }
  SINTER_UNREACHABLE("module output {}", static_cast<int>(output));
}

} // namespace

HostModule emit_host_module(const CompiledProgram &compiled, ModuleForm form,
                            const std::string &description,
                            const std::map<std::string, int64_t> &weight_offsets,
                            ModuleOutput output) {
  llvm::LLVMContext context;
  context.enableOpaquePointers();
  const std::unique_ptr<llvm::TargetMachine> machine = host_target_machine();
  ModuleWriter writer(context, compiled.prefix);
  prepare_module(writer.module, *machine);

  const ModelFunctions functions = emit_functions(writer, compiled, form);
  llvm::Constant *model =
      emit_model_tables(writer, compiled, description, weight_offsets, functions);
  if (form == ModuleForm::executable)
    emit_main(writer, model);
  else
    emit_library_entry_points(writer, compiled, description, model, functions);

  verify_module(writer.module);
  optimize_module(writer.module, *machine);
  return {generate(writer.module, *machine, output), exported_functions(writer.module)};
}

} // namespace sinter
