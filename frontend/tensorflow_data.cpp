#include "frontend/tensorflow_data.h"

#include "frontend/configured.h"
#include "frontend/data_array.h"
#include "frontend/interpreter.h"
#include "frontend/modules.h"

#include <algorithm>

namespace sinter {

namespace {

using Kind = ArgumentKind;

// No script can name it so: what Dataset is there is only looked into.
constexpr std::string_view kDataset = "tf.data.Dataset";

Value make_dataset(Interpreter &interpreter, const DatasetContents &contents,
                   const SourceLocation &location) {
  const Native &type = *find_native(kDataset);
  CallArguments arguments;
  arguments.keywords = {{"images", contents.images},
                        {"labels", contents.labels},
                        {"batch_size", contents.batch_size},
                        {"shuffle", contents.shuffle}};
  return interpreter.make<Configured>(&type, bind(interpreter, type, arguments, location),
                                      location);
}

Value unknown_result(Interpreter &interpreter, const Call &call) {
  return interpreter.opaque(std::string(call.native.path), call.location);
}

/// The samples and labels of (x, y); nothing for anything else.
std::optional<DatasetContents> pair_of_arrays(const Value &value) {
  const std::vector<Value> *items = sequence_items(value);
  if (!items || items->size() != 2)
    return std::nullopt;
  DatasetContents contents;
  contents.images = object<DataArray>((*items)[0]);
  contents.labels = object<DataArray>((*items)[1]);
  return contents.images && contents.labels ? std::optional(contents) : std::nullopt;
}

/// tf.data.Dataset.from_tensor_slices((x, y))
Value from_tensor_slices(Interpreter &interpreter, const Call &call) {
  const auto contents = pair_of_arrays(call.arguments["tensors"]);
  return contents ? make_dataset(interpreter, *contents, call.location)
                  : unknown_result(interpreter, call);
}

DatasetContents self(const Call &call) {
  const auto contents = dataset_contents(call.self);
  if (!contents)
    throw CompileError(call.location, "{} has no attribute '{}' that a model script can use",
                       describe(call.self), call.native.name());
  return *contents;
}

/// An epoch visits all samples in another order, whatever the buffer holds.
Value call_shuffle(Interpreter &interpreter, const Call &call) {
  DatasetContents contents = self(call);
  contents.shuffle = true;
  return make_dataset(interpreter, contents, call.location);
}

Value call_batch(Interpreter &interpreter, const Call &call) {
  DatasetContents contents = self(call);
  if (contents.batch_size > 0)
    throw CompileError(call.location, "batches of batches are not supported");
  contents.batch_size = call.arguments.integer("batch_size");
  return make_dataset(interpreter, contents, call.location);
}

/// prefetch(), cache(): how fast the samples come.
Value call_same(Interpreter &, const Call &call) {
  self(call);
  return call.self;
}

/// The function sees the arrays, as if it were called on all samples at once.
Value call_map(Interpreter &interpreter, const Call &call) {
  DatasetContents contents = self(call);
  const Value result = interpreter.call(call.arguments["map_func"],
                                        {{contents.images, contents.labels}, {}}, call.location);
  const auto mapped = pair_of_arrays(result);
  if (!mapped) {
    interpreter.skip(call.location, "what this map() makes of the samples is not known to Sinter: "
                                    "its result cannot be trained on");
    return unknown_result(interpreter, call);
  }
  contents.images = mapped->images;
  contents.labels = mapped->labels;
  return make_dataset(interpreter, contents, call.location);
}

/// take(n), skip(n). Of batches, and in an order that is drawn, they are for looking at.
Value call_part(Interpreter &interpreter, const Call &call) {
  DatasetContents contents = self(call);
  const int64_t total = contents.images->shape[0];
  const int64_t count = std::min(call.arguments.integer("count"), total);
  if (contents.shuffle || contents.batch_size > 0)
    return unknown_result(interpreter, call);
  const bool first = call.native.name() == "take";
  SubsetStep step;
  step.start = first ? 0 : count;
  step.stop = first ? count : INT64_MAX;
  for (DataArray **array : {&contents.images, &contents.labels})
    *array = object<DataArray>(
        pick_samples(interpreter, **array, step, first ? count : total - count, call.location));
  return make_dataset(interpreter, contents, call.location);
}

} // namespace

std::optional<DatasetContents> dataset_contents(const Value &value) {
  const Configured *dataset = object<Configured>(value);
  if (!dataset || dataset->type->path != kDataset)
    return std::nullopt;
  const Arguments &arguments = dataset->arguments;
  return DatasetContents{object<DataArray>(arguments["images"]),
                         object<DataArray>(arguments["labels"]), arguments.integer("batch_size"),
                         arguments.boolean("shuffle")};
}

const std::vector<Native> &tensorflow_data_natives() {
  const std::vector<ArgumentSpec> anything = {optional("values", Kind::rest),
                                              optional("options", Kind::keywords)};
  const std::vector<ArgumentSpec> count = {required("count", Kind::non_negative),
                                           optional("name", Kind::ignored)};
  static const std::vector<Native> natives = {
      {kDataset,
       {required("images", Kind::any), required("labels", Kind::any),
        required("batch_size", Kind::integer), required("shuffle", Kind::boolean)},
       configure},
      {"tensorflow.data.Dataset.from_tensor_slices",
       {required("tensors", Kind::any), optional("name", Kind::ignored)},
       from_tensor_slices},
      {"object.shuffle", anything, call_shuffle},
      {"object.batch",
       {required("batch_size", Kind::positive),
        optional("drop_remainder", Kind::unsupported, Value(false)),
        optional("num_parallel_calls", Kind::ignored), optional("deterministic", Kind::ignored),
        optional("name", Kind::ignored)},
       call_batch},
      {"object.map",
       {required("map_func", Kind::any), optional("num_parallel_calls", Kind::ignored),
        optional("deterministic", Kind::ignored), optional("name", Kind::ignored)},
       call_map},
      {"object.prefetch", anything, call_same},
      {"object.cache", anything, call_same},
      {"object.take", count, call_part},
      {"object.skip", count, call_part}};
  return natives;
}

} // namespace sinter
