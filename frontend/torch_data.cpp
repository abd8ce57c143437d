// What a PyTorch script says about its data: the data sets of torchvision, their transforms, and
// the loaders of batches.
#include "frontend/configured.h"
#include "frontend/data_array.h"
#include "frontend/interpreter.h"
#include "frontend/modules.h"
#include "frontend/torch_modules.h"

#include <cmath>
#include <tuple>

namespace sinter {

namespace {

using Kind = ArgumentKind;
using Specs = std::vector<ArgumentSpec>;

/// The images or labels of torchvision.datasets.X(root, train=...), before its transform.
DataArray *dataset_array(Interpreter &interpreter, const Configured &dataset, bool labels) {
  DataArray *array = interpreter.make<DataArray>();
  const bool train = dataset.arguments.boolean("train");
  array->labels = labels;
  array->dataset = dataset.type->name() == "MNIST" ? "mnist" : "fashion_mnist";
  array->source = train ? "train" : "test";
  array->shape = {train ? 60000 : 10000};
  if (!labels)
    array->shape.insert(array->shape.end(), {28, 28});
  array->location = dataset.location;
  return array;
}

float single_number(const Value &value, const Configured &transform) {
  const std::vector<Value> *items = sequence_items(value);
  const Value &number = items && items->size() == 1 ? items->front() : value;
  if (!is_number(number))
    throw CompileError(transform.location,
                       "Normalize needs one number for images of one channel, "
                       "got {}",
                       describe(value));
  return static_cast<float>(to_number(number));
}

void scale(DataArray &images, const char *op, float value, const SourceLocation &location) {
  ScalingStep step;
  step.op = op;
  step.value = value;
  images.scaling.push_back({step, location});
  images.integers = false;
}

/// Records ToTensor() (/ 255, a dimension of one channel) and Normalize(mean, std).
void apply_transform(Interpreter &interpreter, DataArray &images, const Value &value,
                     const SourceLocation &location, int depth = 0) {
  constexpr int kMaxDepth = 20; // a Compose's list may hold the Compose
  if (depth > kMaxDepth)
    throw CompileError(location, "transforms nest more than {} deep", kMaxDepth);
  interpreter.charge(1, location);
  const Configured *transform = object<Configured>(value);
  const std::string_view name = transform ? transform->type->name() : std::string_view();
  if (name == "Compose") {
    const std::vector<Value> *parts = sequence_items(transform->arguments["transforms"]);
    for (const Value &part : parts ? *parts : std::vector<Value>{})
      apply_transform(interpreter, images, part, transform->location, depth + 1);
  } else if (name == "ToTensor") {
    images.shape.insert(images.shape.begin() + 1, 1);
    scale(images, "divide", 255, transform->location);
  } else if (name == "Normalize") {
    scale(images, "subtract", single_number(transform->arguments["mean"], *transform),
          transform->location);
    scale(images, "divide", single_number(transform->arguments["std"], *transform),
          transform->location);
  } else {
    throw CompileError(location, "a data set needs transform=ToTensor(), got {}", describe(value));
  }
}

/// The samples and labels of a data set, as its transform makes them.
std::pair<DataArray *, DataArray *> dataset_arrays(Interpreter &interpreter,
                                                   const Configured &dataset) {
  if (dataset.type->name() == "TensorDataset") {
    const std::vector<Value> &tensors = dataset.arguments.items("tensors");
    DataArray *images = tensors.size() == 2 ? object<DataArray>(tensors[0]) : nullptr;
    DataArray *labels = tensors.size() == 2 ? object<DataArray>(tensors[1]) : nullptr;
    if (!images || !labels)
      throw CompileError(dataset.location, "TensorDataset needs samples and labels of a data set");
    return {images, labels};
  }
  DataArray *images = dataset_array(interpreter, dataset, false);
  apply_transform(interpreter, *images, dataset.arguments["transform"], dataset.location);
  return {images, dataset_array(interpreter, dataset, true)};
}

/// How many of `count` samples the second of two parts has; fractions round down, and what is left
/// over goes to the first.
int64_t second_part(const Call &call, int64_t count) {
  const std::vector<Value> *lengths = sequence_items(call.arguments["lengths"]);
  if (!lengths || lengths->size() != 2 || !is_number((*lengths)[0]) || !is_number((*lengths)[1]))
    throw CompileError(call.location, "random_split into two parts is supported, got {}",
                       describe(call.arguments["lengths"]));
  const double first = to_number((*lengths)[0]);
  const double second = to_number((*lengths)[1]);
  const bool fractions = std::fabs(first + second - 1) < 1e-6 && first > 0 && second > 0;
  const auto total = static_cast<double>(count);
  if (!fractions && (first < 1 || second < 1 || first + second != total))
    throw CompileError(call.location, "random_split of {} samples into {}", count,
                       describe(call.arguments["lengths"]));
  if (!fractions)
    return static_cast<int64_t>(second);
  const auto kept = static_cast<int64_t>(std::floor(total * first));
  const auto split = static_cast<int64_t>(std::floor(total * second));
  return split + (count - kept - split) / 2;
}

/// random_split(dataset, [55000, 5000]): by the program's seed, which no generator says.
Value random_split(Interpreter &interpreter, const Call &call) {
  const Configured *dataset = object<Configured>(call.arguments["dataset"]);
  if (!dataset || dataset->type->family != Family::data_set)
    throw CompileError(call.location, "random_split needs a data set, got {}",
                       describe(call.arguments["dataset"]));
  const auto [images, labels] = dataset_arrays(interpreter, *dataset);
  const int64_t count = images->shape[0];
  const int64_t second = second_part(call, count);
  SubsetStep step;
  step.test_size = static_cast<double>(second);
  step.shuffle = true;
  step.random_state = -1;
  const Native &type = *find_native("torch.utils.data.TensorDataset");
  std::vector<Value> parts;
  for (const auto &[op, size] :
       {std::pair("split_train", count - second), {"split_test", second}}) {
    step.op = op;
    CallArguments tensors;
    for (const DataArray *array : {images, labels})
      tensors.positional.push_back(pick_samples(interpreter, *array, step, size, call.location));
    parts.push_back(interpreter.make<Configured>(
        &type, bind(interpreter, type, tensors, call.location), call.location));
  }
  return interpreter.list(std::move(parts));
}

/// DataLoader(dataset, batch_size, shuffle): an unknown value that knows its samples.
Value make_loader(Interpreter &interpreter, const Call &call) {
  const Configured *dataset = object<Configured>(call.arguments["dataset"]);
  if (!dataset || dataset->type->family != Family::data_set)
    throw CompileError(call.location,
                       "DataLoader needs a data set of torchvision or a "
                       "TensorDataset, got {}",
                       describe(call.arguments["dataset"]));
  DataLoader *loader = interpreter.make<DataLoader>();
  std::tie(loader->images, loader->labels) = dataset_arrays(interpreter, *dataset);
  loader->batch_size = call.arguments.integer("batch_size");
  loader->shuffle = call.arguments.boolean("shuffle");
  loader->location = call.location;
  Opaque *value = interpreter.make<Opaque>("a DataLoader", call.location);
  value->loader = loader;
  return value;
}

} // namespace

std::optional<Value> dataset_attribute(Interpreter &interpreter, const Configured &dataset,
                                       const std::string &name) {
  const bool has_arrays = dataset.arguments.has("train");
  if (!has_arrays || (name != "data" && name != "targets"))
    return std::nullopt;
  return dataset_array(interpreter, dataset, name == "targets");
}

std::optional<int64_t> dataset_length(Interpreter &interpreter, const Value &value) {
  const Configured *dataset = object<Configured>(value);
  if (!dataset || dataset->type->family != Family::data_set)
    return std::nullopt;
  return dataset->arguments.has("train") ? dataset_array(interpreter, *dataset, true)->shape[0]
                                         : dataset_arrays(interpreter, *dataset).first->shape[0];
}

std::vector<Native> torch_data_natives() {
  const Specs dataset = {
      optional("root", Kind::ignored), optional("train", Kind::boolean, Value(true)),
      optional("transform", Kind::any), optional("target_transform", Kind::unsupported),
      optional("download", Kind::ignored)};
  return {
      {"torchvision.datasets.MNIST", dataset, configure, Family::data_set},
      {"torchvision.datasets.FashionMNIST", dataset, configure, Family::data_set},
      {"torch.utils.data.TensorDataset",
       {optional("tensors", Kind::rest)},
       configure,
       Family::data_set},
      {"torch.utils.data.random_split",
       {required("dataset", Kind::any), required("lengths", Kind::any),
        optional("generator", Kind::ignored)},
       random_split},
      {"torch.utils.data.DataLoader",
       {required("dataset", Kind::any), optional("batch_size", Kind::positive, 1),
        optional("shuffle", Kind::boolean, Value(false)), optional("sampler", Kind::unsupported),
        optional("num_workers", Kind::ignored), optional("pin_memory", Kind::ignored),
        optional("drop_last", Kind::unsupported, Value(false))},
       make_loader},
      {"torchvision.transforms.ToTensor", {}, configure},
      {"torchvision.transforms.Normalize",
       {required("mean", Kind::any), required("std", Kind::any),
        optional("inplace", Kind::ignored)},
       configure},
      {"torchvision.transforms.Compose", {required("transforms", Kind::any)}, configure}};
}

} // namespace sinter
