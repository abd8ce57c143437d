#include "backends/program/entry_points.h"

#include "runtime/sinter_runtime.h"

#include <limits>

namespace sinter {

namespace {

/// "context x_image x_mask n y": what the ports before and after `middle` are called.
std::string argument_names(const std::vector<const std::vector<Port> *> &before,
                           const std::string &middle,
                           const std::vector<const std::vector<Port> *> &after) {
  std::string names = "context";
  const auto add = [&](const std::vector<const std::vector<Port> *> &lists) {
    for (const std::vector<Port> *ports : lists)
      for (const Port &port : *ports)
        names += " " + port.argument;
  };
  add(before);
  names += " " + middle;
  add(after);
  return names;
}

class EntryPoints {
public:
  EntryPoints(ModuleWriter &module, const std::string &prefix, llvm::Constant *model)
      : m_(module), abi_(module.abi), prefix_(prefix), model_(model) {}

  void emit_contexts();
  void emit_infer(const Interface &, llvm::Function *step);
  void emit_step(const char *name, const Interface &, llvm::Function *step);
  void emit_learning_rate();
  void emit_files();
  void emit_texts(const CompiledProgram &, const std::string &description);

private:
  FunctionWriter open(const std::string &name, llvm::Type *result,
                      const std::vector<llvm::Type *> &types, const std::string &parameters) {
    return FunctionWriter(m_, prefix_ + "_" + name, result, types, parameters.c_str(),
                          llvm::GlobalValue::ExternalLinkage);
  }
  void require(FunctionWriter &w, llvm::Value *argument, const char *what);
  void restart(FunctionWriter &w, llvm::Value *context, llvm::Value *seed);
  llvm::Value *gather(FunctionWriter &w, unsigned first, size_t count, const char *name);

  ModuleWriter &m_;
  const Abi &abi_;
  std::string prefix_;
  llvm::Constant *model_;
};

// if (argument == NULL) return sinter_fail(...)
void EntryPoints::require(FunctionWriter &w, llvm::Value *argument, const char *what) {
  w.if_then(w.ir().CreateIsNull(argument), [&] {
    w.return_value(w.call("sinter_fail", {w.int32(SINTER_ERROR_INPUT),
                                          m_.text("%s is a null pointer"), m_.text(what)}));
  });
}

// As after creation: no step is done, and dropout draws from the new seed.
void EntryPoints::restart(FunctionWriter &w, llvm::Value *context, llvm::Value *seed) {
  llvm::Value *rng = w.field(abi_.context, context, context_field::rng);
  w.ir().CreateStore(w.ir().CreateTrunc(seed, abi_.i32), rng);
  w.ir().CreateStore(w.ir().CreateTrunc(w.ir().CreateLShr(seed, 32), abi_.i32),
                     w.element(abi_.i32, rng, w.int32(1)));
  w.ir().CreateStore(m_.int64(0), w.field(abi_.context, context, context_field::steps_done));
}

void EntryPoints::emit_contexts() {
  {
    FunctionWriter w = open("context_bytes", abi_.i64, {abi_.i32, abi_.i32}, "max_batch mode");
    w.return_value(w.call("sinter_context_bytes", {model_, w.argument(0), w.argument(1)}));
  }
  {
    FunctionWriter w =
        open("create", abi_.i32,
             {abi_.pointer, abi_.i64, abi_.i32, abi_.i32, abi_.i32, abi_.i64, abi_.pointer},
             "memory bytes max_batch mode threads seed context");
    std::vector<llvm::Value *> arguments = {model_};
    for (llvm::Argument &argument : w.function()->args())
      arguments.push_back(&argument);
    w.return_value(w.call("sinter_context_create", arguments));
  }
  {
    FunctionWriter w = open("destroy", abi_.void_type, {abi_.pointer}, "context");
    w.call("sinter_context_destroy", {w.argument(0)});
    w.return_void();
  }
  {
    FunctionWriter w = open("initialize", abi_.i32, {abi_.pointer, abi_.i64}, "context seed");
    require(w, w.argument(0), "the context");
    w.call("sinter_initialize_parameters", {w.argument(0), w.argument(1)});
    restart(w, w.argument(0), w.argument(1));
    w.return_value(w.int32(SINTER_OK));
  }
  {
    FunctionWriter w = open("set_threads", abi_.i32, {abi_.pointer, abi_.i32}, "context threads");
    w.return_value(w.call("sinter_set_threads", {w.argument(0), w.argument(1)}));
  }
}

// Arguments first .. first + count as an array, as the steps take them.
llvm::Value *EntryPoints::gather(FunctionWriter &w, unsigned first, size_t count,
                                 const char *name) {
  llvm::Value *array = w.stack(llvm::ArrayType::get(abi_.pointer, count), name);
  for (unsigned i = 0; i < count; ++i)
    w.ir().CreateStore(w.argument(first + i), w.element(abi_.pointer, array, w.int32(i)));
  return array;
}

// infer(context, x..., n, y...)
void EntryPoints::emit_infer(const Interface &interface, llvm::Function *step) {
  const size_t inputs = interface.inputs.size();
  const size_t outputs = interface.outputs.size();
  std::vector<llvm::Type *> types(1 + inputs, abi_.pointer);
  types.push_back(abi_.i32);
  types.insert(types.end(), outputs, abi_.pointer);
  FunctionWriter w = open("infer", abi_.i32, types,
                          argument_names({&interface.inputs}, "n", {&interface.outputs}));
  const auto n = static_cast<unsigned>(1 + inputs);
  llvm::Value *x = gather(w, 1, inputs, "inputs");
  llvm::Value *y = gather(w, n + 1, outputs, "outputs");
  w.return_value(w.ir().CreateCall(step, {w.argument(0), x, w.argument(n), y}));
}

// step(context, x..., labels..., n, metrics)
void EntryPoints::emit_step(const char *name, const Interface &interface, llvm::Function *step) {
  const size_t inputs = interface.inputs.size();
  const size_t labels = interface.labels.size();
  std::vector<llvm::Type *> types(1 + inputs + labels, abi_.pointer);
  types.push_back(abi_.i32);
  types.push_back(abi_.pointer);
  FunctionWriter w = open(name, abi_.i32, types,
                          argument_names({&interface.inputs, &interface.labels}, "n metrics", {}));
  const auto n = static_cast<unsigned>(1 + inputs + labels);
  llvm::Value *x = gather(w, 1, inputs, "inputs");
  llvm::Value *y = gather(w, static_cast<unsigned>(1 + inputs), labels, "labels");
  w.return_value(w.ir().CreateCall(step, {w.argument(0), x, y, w.argument(n), w.argument(n + 1)}));
}

void EntryPoints::emit_learning_rate() {
  FunctionWriter w =
      open("set_learning_rate", abi_.i32, {abi_.pointer, abi_.f32}, "context learning_rate");
  require(w, w.argument(0), "the context");
  llvm::Value *rate = w.argument(1);
  llvm::Value *usable = w.ir().CreateAnd(
      w.ir().CreateFCmpOGE(rate, m_.float32(0)),
      w.ir().CreateFCmpOLT(rate, m_.float32(std::numeric_limits<float>::infinity())));
  w.if_then(w.ir().CreateNot(usable), [&] {
    w.return_value(
        w.call("sinter_fail", {w.int32(SINTER_ERROR_INPUT),
                               m_.text("the learning rate must be finite and not negative, got %g"),
                               w.ir().CreateFPExt(rate, abi_.f64)}));
  });
  w.ir().CreateStore(rate, w.field(abi_.context, w.argument(0), context_field::learning_rate));
  w.return_value(w.int32(SINTER_OK));
}

void EntryPoints::emit_files() {
  const std::pair<const char *, const char *> functions[] = {{"save", "sinter_save"},
                                                             {"load", "sinter_load"}};
  for (const auto &[name, runtime_name] : functions) {
    FunctionWriter w = open(name, abi_.i32, {abi_.pointer, abi_.pointer}, "context path");
    w.return_value(w.call(runtime_name, {w.argument(0), w.argument(1)}));
  }
}

void EntryPoints::emit_texts(const CompiledProgram &compiled, const std::string &description) {
  {
    FunctionWriter w = open("describe", abi_.pointer, {}, "");
    w.return_value(m_.text(description));
  }
  {
    FunctionWriter w = open("last_error", abi_.pointer, {}, "");
    w.return_value(w.call("sinter_last_error", {}));
  }
  std::vector<llvm::Constant *> names;
  for (const Variant &variant : compiled.variants)
    names.push_back(m_.text(variant.name));
  llvm::Constant *table = m_.table("variants", abi_.pointer, names);
  FunctionWriter w = open("variant", abi_.pointer, {abi_.pointer}, "context");
  w.if_then(w.ir().CreateIsNull(w.argument(0)), [&] { w.return_value(m_.text("")); });
  llvm::Value *index = w.load_field(abi_.context, w.argument(0), context_field::variant);
  w.return_value(w.load_element(abi_.pointer, table, index));
}

} // namespace

void emit_library_entry_points(ModuleWriter &m, const CompiledProgram &compiled,
                               const std::string &description, llvm::Constant *model,
                               const ModelFunctions &functions) {
  EntryPoints entries(m, compiled.prefix, model);
  entries.emit_contexts();
  entries.emit_infer(compiled.interface, functions.infer);
  if (functions.eval_step != nullptr)
    entries.emit_step("eval_step", compiled.interface, functions.eval_step);
  if (functions.train_step != nullptr) {
    entries.emit_step("train_step", compiled.interface, functions.train_step);
    entries.emit_learning_rate();
  }
  entries.emit_files();
  entries.emit_texts(compiled, description);
}

void emit_main(ModuleWriter &m, llvm::Constant *model) {
  FunctionWriter w(m, "main", m.abi.i32, {m.abi.i32, m.abi.pointer}, "argc argv",
                   llvm::GlobalValue::ExternalLinkage);
  w.return_value(w.call("sinter_main", {model, w.argument(0), w.argument(1)}));
}

} // namespace sinter
