// torch.nn: modules, their names, and what a script does with them.
#pragma once

#include "frontend/keras_objects.h"

namespace sinter {

class Interpreter;

/// A layer of torch.nn, or an object of a class that derives from nn.Module.
bool is_torch_module(const Layer &);

/// Names a module's parts as state_dict() does, by their attributes and places in lists:
/// "features.0". The module itself keeps its name.
void name_modules(Interpreter &, Layer &root, const SourceLocation &);

/// nn.Sequential(...): applies its parts in order.
Value run_sequential(Interpreter &, const Instance &, const Value &input, const SourceLocation &);

/// The parts of an nn.Sequential by name, in order; nothing for any other value.
std::optional<std::vector<std::pair<std::string, Value>>> sequential_parts(const Value &);
/// nn.Sequential(OrderedDict(parts))
Value sequential_of(Interpreter &, const std::vector<std::pair<std::string, Value>> &parts,
                    const SourceLocation &);

/// nn.Sequential, nn.ModuleList, torch.nn.init, the methods of modules.
std::vector<Native> module_natives();
/// torch.nn.functional, torch.cat and its kin, the methods of tensors.
std::vector<Native> torch_function_natives();
/// torch.nn.Parameter.
std::vector<Native> torch_parameter_natives();
/// An example that starts as others do, times a factor.
Opaque *scaled_example(Interpreter &, const Opaque &example, double factor);
/// What something is that was computed of an unknown value: unknown, too, and no longer what a
/// Parameter may start as, nor a module's own parameter.
Value computed_of(Interpreter &, const Value &unknown);
/// example.NAME: the example itself where its values stay, a method that fills it, or unknown. What
/// else changes it in place makes it unknown.
Value example_attribute(Interpreter &, Opaque &example, const std::string &name);
/// Data sets, transforms, loaders.
std::vector<Native> torch_data_natives();
/// Criteria, optimizers, the clipping of gradients.
std::vector<Native> torch_training_natives();
/// criterion(outputs, labels)
Value call_criterion(Interpreter &, const Configured &criterion, const CallArguments &,
                     const SourceLocation &);
/// dataset.data and dataset.targets; nothing for another name.
std::optional<Value> dataset_attribute(Interpreter &, const Configured &dataset,
                                       const std::string &name);
/// How many samples a data set of torchvision or a TensorDataset has; nothing for another value.
std::optional<int64_t> dataset_length(Interpreter &, const Value &);
/// All of torch and torchvision.
const std::vector<Native> &torch_natives();

} // namespace sinter
