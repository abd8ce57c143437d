#include "backends/program/function_writer.h"

#include "ir/diagnostics.h"
#include "runtime/sinter_runtime.h"

#include <algorithm>
#include <sstream>

namespace sinter {

llvm::GlobalVariable *ModuleWriter::global(const std::string &name, llvm::Constant *value) {
  auto *variable =
      new llvm::GlobalVariable(module, value->getType(), /*isConstant=*/true,
                               llvm::GlobalValue::InternalLinkage, value, name); // the module's
  return variable;
}

llvm::Constant *ModuleWriter::text(const std::string &text) {
  llvm::Constant *&place = texts_[text];
  if (place == nullptr) {
    llvm::GlobalVariable *variable =
        global("text", llvm::ConstantDataArray::getString(module.getContext(), text));
    variable->setUnnamedAddr(llvm::GlobalValue::UnnamedAddr::Global);
    variable->setAlignment(llvm::Align(1));
    place = variable;
  }
  return place;
}

llvm::Constant *ModuleWriter::table(const std::string &name, llvm::Type *element,
                                    const std::vector<llvm::Constant *> &elements) {
  if (elements.empty())
    return null();
  return global(name,
                llvm::ConstantArray::get(llvm::ArrayType::get(element, elements.size()), elements));
}

FunctionWriter::FunctionWriter(ModuleWriter &module, const std::string &name, llvm::Type *result,
                               const std::vector<llvm::Type *> &parameters,
                               const char *parameter_names, llvm::GlobalValue::LinkageTypes linkage)
    : module_(module),
      function_(llvm::Function::Create(llvm::FunctionType::get(result, parameters, false), linkage,
                                       name, module.module)),
      builder_(module.module.getContext()) {
  SINTER_ASSERT(function_->getName() == name, "two functions are called {}", name);
  function_->setDoesNotThrow();
  std::istringstream names(parameter_names);
  std::string word;
  for (llvm::Argument &argument : function_->args()) {
    names >> word;
    argument.setName(word);
  }
  builder_.SetInsertPoint(block("entry"));
}

llvm::BasicBlock *FunctionWriter::block(const char *name) {
  return llvm::BasicBlock::Create(module_.module.getContext(), name, function_);
}

llvm::AllocaInst *FunctionWriter::stack(llvm::Type *type, const char *name) {
  llvm::BasicBlock &entry = function_->getEntryBlock();
  llvm::IRBuilder<> at_entry(&entry, entry.begin());
  return at_entry.CreateAlloca(type, nullptr, name);
}

Variable FunctionWriter::variable(llvm::Type *type, llvm::Value *initial, const char *name) {
  const Variable result{type, stack(type, name)};
  set(result, initial);
  return result;
}

llvm::Value *FunctionWriter::get(const Variable &v) { return builder_.CreateLoad(v.type, v.place); }

void FunctionWriter::set(const Variable &v, llvm::Value *value) {
  builder_.CreateStore(value, v.place);
}

llvm::Value *FunctionWriter::call(const char *runtime_name,
                                  const std::vector<llvm::Value *> &arguments) {
  return builder_.CreateCall(runtime_function(module_.module, abi(), runtime_name), arguments);
}

llvm::Value *FunctionWriter::field(llvm::StructType *type, llvm::Value *object, unsigned index) {
  return builder_.CreateStructGEP(type, object, index);
}

llvm::Value *FunctionWriter::load_field(llvm::StructType *type, llvm::Value *object,
                                        unsigned index) {
  return builder_.CreateLoad(type->getElementType(index), field(type, object, index));
}

llvm::Value *FunctionWriter::element(llvm::Type *type, llvm::Value *base, llvm::Value *index) {
  return builder_.CreateInBoundsGEP(type, base, index);
}

llvm::Value *FunctionWriter::load_element(llvm::Type *type, llvm::Value *base, llvm::Value *index) {
  return builder_.CreateLoad(type, element(type, base, index));
}

void FunctionWriter::if_then(llvm::Value *condition, const Body &then) {
  if_then_else(condition, then, [] {});
}

void FunctionWriter::if_then_else(llvm::Value *condition, const Body &then, const Body &otherwise) {
  llvm::BasicBlock *then_block = block("then");
  llvm::BasicBlock *else_block = block("else");
  llvm::BasicBlock *after = block("after");
  builder_.CreateCondBr(condition, then_block, else_block);
  const std::pair<llvm::BasicBlock *, const Body &> branches[] = {{then_block, then},
                                                                  {else_block, otherwise}};
  for (const auto &[branch, body] : branches) {
    builder_.SetInsertPoint(branch);
    body();
    if (!terminated())
      builder_.CreateBr(after);
  }
  builder_.SetInsertPoint(after);
}

void FunctionWriter::for_loop(const char *name, llvm::Value *begin, llvm::Value *end,
                              const std::function<void(llvm::Value *)> &body) {
  const Variable counter = variable(abi().i32, begin, name);
  llvm::BasicBlock *head = block("loop");
  llvm::BasicBlock *inside = block("body");
  llvm::BasicBlock *exit = block("done");
  builder_.CreateBr(head);
  builder_.SetInsertPoint(head);
  llvm::Value *i = get(counter);
  builder_.CreateCondBr(builder_.CreateICmpSLT(i, end), inside, exit);
  builder_.SetInsertPoint(inside);
  loop_exits_.push_back(exit);
  body(i);
  loop_exits_.pop_back();
  if (!terminated()) {
    set(counter, builder_.CreateNSWAdd(i, int32(1)));
    builder_.CreateBr(head);
  }
  builder_.SetInsertPoint(exit);
}

void FunctionWriter::break_loop() {
  SINTER_ASSERT(!loop_exits_.empty(), "no loop to leave");
  builder_.CreateBr(loop_exits_.back());
}

void FunctionWriter::return_value(llvm::Value *value) { builder_.CreateRet(value); }

void FunctionWriter::return_void() { builder_.CreateRetVoid(); }

void FunctionWriter::return_if_failed(llvm::Value *status) {
  if_then(builder_.CreateICmpNE(status, int32(SINTER_OK)), [&] { return_value(status); });
}

} // namespace sinter
