// A thin structured layer over llvm::IRBuilder: loops, conditions and early returns as nested
// calls, so that emitting code reads like the emitted code.
#pragma once

#include "backends/program/abi.h"

#include <functional>
#include <llvm/IR/IRBuilder.h>
#include <map>
#include <string>
#include <vector>

namespace sinter {

/// A module under construction, its types and its constants.
struct ModuleWriter {
  ModuleWriter(llvm::LLVMContext &context, const std::string &name)
      : abi(context), module(name, context) {}

  Abi abi;
  llvm::Module module;

  llvm::ConstantInt *int32(int64_t v) { return llvm::ConstantInt::getSigned(abi.i32, v); }
  llvm::ConstantInt *int64(int64_t v) { return llvm::ConstantInt::getSigned(abi.i64, v); }
  llvm::Constant *float32(float v) { return llvm::ConstantFP::get(abi.f32, v); }
  llvm::Constant *float64(double v) { return llvm::ConstantFP::get(abi.f64, v); }
  llvm::Constant *null() { return llvm::ConstantPointerNull::get(abi.pointer); }
  /// A C string; equal texts are one.
  llvm::Constant *text(const std::string &);
  /// A constant array of `elements` in static memory; null() when there are none.
  llvm::Constant *table(const std::string &name, llvm::Type *element,
                        const std::vector<llvm::Constant *> &elements);
  /// A constant in static memory.
  llvm::GlobalVariable *global(const std::string &name, llvm::Constant *value);

private:
  std::map<std::string, llvm::Constant *> texts_;
};

/// A mutable local; it becomes a register when the module is optimised.
struct Variable {
  llvm::Type *type;
  llvm::AllocaInst *place;
};

/// Emits one function.
class FunctionWriter {
public:
  using Body = std::function<void()>;

  FunctionWriter(ModuleWriter &, const std::string &name, llvm::Type *result,
                 const std::vector<llvm::Type *> &parameters, const char *parameter_names,
                 llvm::GlobalValue::LinkageTypes);

  ModuleWriter &module() { return module_; }
  const Abi &abi() const { return module_.abi; }
  llvm::IRBuilder<> &ir() { return builder_; }
  llvm::Function *function() { return function_; }
  llvm::Value *argument(unsigned i) { return function_->getArg(i); }
  llvm::ConstantInt *int32(int64_t v) { return module_.int32(v); }

  /// Stack memory of the whole call, allocated in the entry block.
  llvm::AllocaInst *stack(llvm::Type *, const char *name);
  Variable variable(llvm::Type *, llvm::Value *initial, const char *name);
  llvm::Value *get(const Variable &);
  void set(const Variable &, llvm::Value *);

  llvm::Value *call(const char *runtime_name, const std::vector<llvm::Value *> &arguments);
  llvm::Value *field(llvm::StructType *, llvm::Value *object, unsigned index); // its address
  llvm::Value *load_field(llvm::StructType *, llvm::Value *object, unsigned index);
  /// base[index] of a C array.
  llvm::Value *element(llvm::Type *, llvm::Value *base, llvm::Value *index); // its address
  llvm::Value *load_element(llvm::Type *, llvm::Value *base, llvm::Value *index);

  void if_then(llvm::Value *condition, const Body &then);
  void if_then_else(llvm::Value *condition, const Body &then, const Body &otherwise);
  /// for (i = begin; i < end; ++i) body(i), over i32.
  void for_loop(const char *name, llvm::Value *begin, llvm::Value *end,
                const std::function<void(llvm::Value *)> &body);
  /// Leaves the innermost for_loop.
  void break_loop();

  void return_value(llvm::Value *);
  void return_void();
  /// if (status != 0) return status
  void return_if_failed(llvm::Value *status);

private:
  bool terminated() { return builder_.GetInsertBlock()->getTerminator() != nullptr; }
  llvm::BasicBlock *block(const char *name);

  ModuleWriter &module_;
  llvm::Function *function_;
  llvm::IRBuilder<> builder_;
  std::vector<llvm::BasicBlock *> loop_exits_;
};

} // namespace sinter
