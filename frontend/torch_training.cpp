// What a PyTorch script says about its training: criteria, optimizers, and the training loop that
// it writes out. A loop over a DataLoader is evaluated once; every time one of its bodies takes an
// optimizer's step, that is an epoch.
#include "frontend/interpreter.h"
#include "frontend/keras_session.h"
#include "frontend/layer_table.h"
#include "frontend/modules.h"
#include "frontend/torch_modules.h"
#include "frontend/training.h"

#include <algorithm>
#include <utility>

namespace sinter {

namespace {

using Kind = ArgumentKind;
using Specs = std::vector<ArgumentSpec>;

/// An optimizer or a criterion: the last of each is the program's where no loop takes a step.
Value configure_training(Interpreter &interpreter, const Call &call) {
  Configured *configured =
      interpreter.make<Configured>(&call.native, call.arguments, call.location);
  auto &torch = interpreter.keras().torch;
  (call.native.family == Family::optimizer ? torch.optimizer : torch.criterion) = configured;
  return configured;
}

/// criterion(outputs, labels), F.cross_entropy(outputs, labels): the loss of a model's prediction.
Value make_loss(Interpreter &interpreter, const Configured &criterion,
                const std::vector<Value> &operands, const SourceLocation &location) {
  const Opaque *prediction = operands.empty() ? nullptr : object<Opaque>(operands[0]);
  Opaque *loss = interpreter.make<Opaque>("a loss", location);
  if (prediction && prediction->module) {
    loss->module = prediction->module;
    loss->loader = prediction->loader;
    loss->criterion = &criterion;
  }
  return loss;
}

constexpr std::pair<std::string_view, std::string_view> kFunctionalLosses[] = {
    {"torch.nn.functional.cross_entropy", "torch.nn.CrossEntropyLoss"},
    {"torch.nn.functional.nll_loss", "torch.nn.NLLLoss"},
    {"torch.nn.functional.mse_loss", "torch.nn.MSELoss"},
    {"torch.nn.functional.l1_loss", "torch.nn.L1Loss"},
    {"torch.nn.functional.smooth_l1_loss", "torch.nn.SmoothL1Loss"},
    {"torch.nn.functional.huber_loss", "torch.nn.HuberLoss"},
    {"torch.nn.functional.binary_cross_entropy", "torch.nn.BCELoss"},
    {"torch.nn.functional.binary_cross_entropy_with_logits", "torch.nn.BCEWithLogitsLoss"}};

Value call_functional_loss(Interpreter &interpreter, const Call &call) {
  for (const auto &[function, criterion] : kFunctionalLosses) {
    if (function != call.native.path)
      continue;
    const Native &native = *find_native(criterion);
    if (call.arguments.text("reduction") != "mean") // what is reported, not trained by
      return interpreter.opaque(std::string(call.native.path), call.location);
    CallArguments given;
    for (const ArgumentSpec &spec : native.arguments)
      if (call.arguments.given(spec.name))
        given.keywords.emplace_back(spec.name, call.arguments[spec.name]);
    const Configured *configured = interpreter.make<Configured>(
        &native, bind(interpreter, native, given, call.location), call.location);
    return make_loss(interpreter, *configured, {call.arguments["input"]}, call.location);
  }
  SINTER_UNREACHABLE("no loss {}", call.native.path);
}

Value call_backward(Interpreter &interpreter, const Call &call) {
  interpreter.require_certain(call.location, "this backward()");
  interpreter.keras().torch.pending = object<Opaque>(call.self);
  return None{};
}

Value call_zero_gradients(Interpreter &, const Call &) { return None{}; }

Value call_step(Interpreter &interpreter, const Call &call) {
  interpreter.require_certain(call.location, "this step()");
  const Configured &stepped = *object<Configured>(call.self);
  KerasSession &session = interpreter.keras();
  if (stepped.type->family == Family::optimizer)
    session.take_torch_step(stepped, call.location);
  else if (stepped.type->family == Family::scheduler)
    session.torch.rates.step(interpreter, stepped, call.location);
  else
    throw CompileError(call.location, "{} has no step()", describe(call.self));
  return None{};
}

/// clip_grad_norm_(model.parameters(), max_norm), clip_grad_value_(model.parameters(), clip_value)
Value call_clip(Interpreter &interpreter, const Call &call) {
  const std::string_view name = call.native.name();
  interpreter.require_certain(call.location, name);
  auto &torch = interpreter.keras().torch;
  const Opaque *parameters = object<Opaque>(call.arguments["parameters"]);
  if (!torch.pending || !parameters || parameters->module != torch.pending->module)
    throw CompileError(call.location,
                       "{} must stand between backward() and step(), and take all "
                       "parameters() of the module",
                       name);
  const bool by_norm = name == "clip_grad_norm_";
  if (torch.clip_value > 0 || (by_norm && torch.clip_norm > 0))
    throw CompileError(call.location, "{} after {} is not supported", name,
                       torch.clip_value > 0 ? "clip_grad_value_" : "clip_grad_norm_");
  const float limit = call.arguments.real(by_norm ? "max_norm" : "clip_value");
  if (!(limit > 0))
    throw CompileError(call.location, "{} needs a limit above 0, got {}", name, limit);
  (by_norm ? torch.clip_norm : torch.clip_value) = limit;
  return interpreter.opaque(std::string(name), call.location);
}

/// torch.save(model.state_dict(), path): the program writes its weights itself.
Value call_save(Interpreter &interpreter, const Call &call) {
  interpreter.skip(call.location, "saving is skipped: the program writes its weights itself");
  interpreter.keras().torch.saved = true;
  return None{};
}

Value call_load_state(Interpreter &interpreter, const Call &call) {
  if (!interpreter.keras().torch.saved)
    throw CompileError(call.location, "load_state_dict: this script saves no weights; use "
                                      "--weights=FILE instead");
  interpreter.skip(call.location, "loading weights is skipped: the program keeps its own");
  return call.self;
}

/// summary(model, (1, 28, 28)): torchsummary's shape is without the batch, torchinfo's with it.
Value call_summary(Interpreter &interpreter, const Call &call) {
  Layer *module = object<Layer>(call.arguments["model"]);
  if (!module || !is_torch_module(*module))
    throw CompileError(call.location, "summary needs a module, got {}",
                       describe(call.arguments["model"]));
  const Value &size = call.arguments["input_size"];
  const std::vector<Value> *items = sequence_items(size);
  if (!items)
    return None{}; // the layers alone
  const bool with_batch = call.native.path == "torchinfo.summary";
  const std::vector<Value> dims(items->begin() + (with_batch && !items->empty() ? 1 : 0),
                                items->end());
  const Shape shape =
      shape_from_value(interpreter.tuple(dims), /*with_batch=*/false, call.location);
  interpreter.keras().build_module(*module, shape, call.location);
  return None{};
}

/// Notes the rate of the record's last epoch: what a scheduler made of it, else the optimizer's.
void note_rate(FitRecord &record, std::optional<double> scheduled, float rate) {
  if (scheduled && !record.epoch_rates)
    record.epoch_rates.emplace();
  if (!record.epoch_rates)
    return;
  std::vector<float> &rates = record.epoch_rates->values;
  rates.resize(static_cast<size_t>(record.epochs), rate);
  if (scheduled)
    rates.back() = static_cast<float>(*scheduled);
}

OptimizerSpec optimizer_spec(const Configured &optimizer) {
  const Arguments &arguments = optimizer.arguments;
  OptimizerSpec spec =
      common_optimizer(optimizer, "lr", arguments.has("rho") ? "rho" : "alpha", "eps");
  spec.epsilon_after_root = true;
  (optimizer.type->name() == "AdamW" ? spec.weight_decay : spec.l2) =
      arguments.real("weight_decay");
  if (arguments.has("betas") && !arguments.is_none("betas")) {
    const std::vector<Value> *betas = sequence_items(arguments["betas"]);
    if (!betas || betas->size() != 2 || !is_number((*betas)[0]) || !is_number((*betas)[1]))
      throw CompileError(optimizer.location, "{}: betas must be two numbers, got {}",
                         optimizer.type->name(), describe(arguments["betas"]));
    spec.beta_1 = to_number((*betas)[0]);
    spec.beta_2 = to_number((*betas)[1]);
  }
  return spec;
}

std::vector<Native> optimizers() {
  const auto with = [](double rate, Specs own) {
    Specs all = {required("params", Kind::any), optional("lr", Kind::number, Value(rate))};
    all.insert(all.end(), own.begin(), own.end());
    return all;
  };
  const ArgumentSpec epsilon = optional("eps", Kind::number, Value(1e-8));
  const ArgumentSpec decay = optional("weight_decay", Kind::number, 0);
  const ArgumentSpec momentum = optional("momentum", Kind::fraction, Value(0.0));
  const auto never = [](const char *name) {
    return optional(name, Kind::unsupported, Value(false));
  };
  return {{"torch.optim.SGD",
           with(1e-3, {momentum, optional("dampening", Kind::unsupported, 0), decay,
                       optional("nesterov", Kind::boolean, Value(false))}),
           configure_training, Family::optimizer},
          {"torch.optim.Adam",
           with(1e-3, {optional("betas", Kind::any), epsilon, decay, never("amsgrad")}),
           configure_training, Family::optimizer},
          {"torch.optim.AdamW",
           with(1e-3, {optional("betas", Kind::any), epsilon,
                       optional("weight_decay", Kind::number, Value(0.01)), never("amsgrad")}),
           configure_training, Family::optimizer},
          {"torch.optim.Adamax", with(2e-3, {optional("betas", Kind::any), epsilon, decay}),
           configure_training, Family::optimizer},
          {"torch.optim.NAdam",
           with(2e-3, {optional("betas", Kind::any), epsilon, decay,
                       optional("momentum_decay", Kind::number, Value(4e-3)),
                       never("decoupled_weight_decay")}),
           configure_training, Family::optimizer},
          {"torch.optim.Adadelta",
           with(1.0, {optional("rho", Kind::fraction, Value(0.9)),
                      optional("eps", Kind::number, Value(1e-6)), decay}),
           configure_training, Family::optimizer},
          {"torch.optim.Adagrad",
           with(1e-2, {optional("lr_decay", Kind::unsupported, 0), decay,
                       optional("initial_accumulator_value", Kind::number, 0),
                       optional("eps", Kind::number, Value(1e-10))}),
           configure_training, Family::optimizer},
          {"torch.optim.RMSprop",
           with(1e-2, {optional("alpha", Kind::fraction, Value(0.99)), epsilon, decay, momentum,
                       never("centered")}),
           configure_training, Family::optimizer}};
}

std::vector<Native> criteria() {
  const ArgumentSpec weight = optional("weight", Kind::unsupported);
  const ArgumentSpec reduction = choice("reduction", "mean", "mean");
  const Specs plain = {reduction};
  std::vector<Native> all = {
      {"torch.nn.CrossEntropyLoss",
       {weight, reduction, optional("label_smoothing", Kind::fraction, 0)},
       configure_training,
       Family::loss},
      {"torch.nn.NLLLoss", {weight, reduction}, configure_training, Family::loss},
      {"torch.nn.HuberLoss",
       {reduction, optional("delta", Kind::number, 1)},
       configure_training,
       Family::loss}};
  for (const char *path : {"torch.nn.MSELoss", "torch.nn.L1Loss", "torch.nn.SmoothL1Loss",
                           "torch.nn.BCELoss", "torch.nn.BCEWithLogitsLoss"})
    all.push_back({path, plain, configure_training, Family::loss});
  for (const auto &[function, criterion] : kFunctionalLosses) {
    Specs arguments = {required("input", Kind::any), required("target", Kind::any)};
    const auto same =
        std::find_if(all.begin(), all.end(),
                     [&path = criterion](const Native &native) { return native.path == path; });
    for (const ArgumentSpec &spec : same->arguments)
      arguments.push_back(spec.name == "reduction" ? choice("reduction", "mean", "mean|sum|none")
                                                   : spec);
    all.push_back({function, std::move(arguments), call_functional_loss});
  }
  return all;
}

} // namespace

Value call_criterion(Interpreter &interpreter, const Configured &criterion,
                     const CallArguments &arguments, const SourceLocation &location) {
  return make_loss(interpreter, criterion, arguments.positional, location);
}

/// One pass over a loader's samples with backward() and step(): an epoch.
void KerasSession::take_torch_step(const Configured &optimizer, const SourceLocation &location) {
  const Opaque *loss = torch.pending;
  if (!loss || !loss->criterion)
    throw CompileError(location, "step() without backward() of a criterion of a module's output");
  if (!loss->loader)
    throw CompileError(location, "a training step must be taken in a loop over a DataLoader");
  torch.pending = nullptr;
  const Opaque *parameters = object<Opaque>(optimizer.arguments["params"]);
  if (!parameters || parameters->module != loss->module)
    throw CompileError(location, "the optimizer is for {}, the loss of '{}'",
                       parameters && parameters->module
                           ? fmt::format("'{}'", parameters->module->name)
                           : describe(optimizer.arguments["params"]),
                       loss->module->name);
  KerasModel &model = *torch.models.at(loss->module);
  const DataLoader &loader = *loss->loader;
  if (model.fit && model.fit->train.images != loader.images)
    throw CompileError(location,
                       "'{}' is trained on two DataLoaders (lines {} and {}), which is "
                       "not supported",
                       model.layer.name, model.fit->train.location.line, loader.location.line);
  const std::optional<CompileRecord> before = model.fit ? model.compiled : std::nullopt;
  compile_module(model, optimizer, *loss->criterion);
  if (before && !equal_fields(before->optimizer, model.compiled->optimizer))
    throw CompileError(location,
                       "'{}' is trained with other settings of the optimizer (line {}) or other "
                       "clipping than in the epochs before, which is not supported",
                       model.layer.name, optimizer.location.line);
  FitRecord record = model.fit.value_or(FitRecord{});
  record.epochs = model.fit ? record.epochs + 1 : 1;
  note_rate(record, torch.rates.of(optimizer), model.compiled->optimizer.learning_rate);
  record.train = {loader.images, loader.labels, loader.location};
  record.batch_size = loader.batch_size;
  record.shuffle = loader.shuffle;
  record.location = location;
  model.fit = std::move(record);
  choose(model);
}

void KerasSession::compile_module(KerasModel &model, const Configured &optimizer,
                                  const Configured &criterion) {
  CompileRecord compiled;
  compiled.optimizer = optimizer_spec(optimizer);
  compiled.optimizer.global_clip_norm = std::exchange(torch.clip_norm, 0.0F);
  compiled.optimizer.clip_value = std::exchange(torch.clip_value, 0.0F);
  compiled.loss = const_cast<Configured *>(&criterion);
  const std::string_view name = criterion.type->name();
  if (name == "CrossEntropyLoss" || name == "NLLLoss")
    compiled.metrics = std::string("accuracy");
  compiled.location = optimizer.location;
  model.compiled = std::move(compiled);
}

/// A module with an optimizer and a criterion, but without a training loop, can be trained all the
/// same: sinter train says on what.
void KerasSession::compile_modules() {
  const Opaque *parameters =
      torch.optimizer ? object<Opaque>(torch.optimizer->arguments["params"]) : nullptr;
  if (!parameters || !torch.criterion)
    return;
  const auto found = torch.models.find(parameters->module);
  if (found != torch.models.end() && !found->second->compiled)
    compile_module(*found->second, *torch.optimizer, *torch.criterion);
}

std::vector<Native> torch_training_natives() {
  const Specs anything = {optional("values", Kind::rest), optional("options", Kind::keywords)};
  const Specs summary = {required("model", Kind::any), optional("input_size", Kind::any),
                         optional("options", Kind::keywords)};
  const ArgumentSpec parameters = required("parameters", Kind::any);
  const ArgumentSpec foreach = optional("foreach", Kind::ignored);
  std::vector<Native> all = {{"unknown value.backward", anything, call_backward},
                             {"torch.nn.utils.clip_grad_norm_",
                              {parameters, required("max_norm", Kind::number),
                               optional("norm_type", Kind::unsupported, Value(2.0)),
                               optional("error_if_nonfinite", Kind::ignored), foreach},
                              call_clip},
                             {"torch.nn.utils.clip_grad_value_",
                              {parameters, required("clip_value", Kind::number), foreach},
                              call_clip},
                             {"object.step", anything, call_step},
                             {"object.zero_grad", anything, call_zero_gradients},
                             {"layer.zero_grad", anything, call_zero_gradients},
                             {"layer.load_state_dict", anything, call_load_state},
                             {"torch.save", anything, call_save},
                             {"torchsummary.summary", summary, call_summary},
                             {"torchinfo.summary", summary, call_summary}};
  for (auto *family : {optimizers, criteria})
    for (Native &native : family())
      all.push_back(std::move(native));
  return all;
}

} // namespace sinter
