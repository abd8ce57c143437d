#include "frontend/classes.h"
#include "frontend/data_array.h"
#include "frontend/interpreter.h"
#include "frontend/keras_session.h"
#include "frontend/torch_modules.h"

#include <algorithm>
#include <iterator>

namespace sinter {

namespace {

int64_t slice_bound(const Value &bound, int64_t fallback, int64_t length,
                    const SourceLocation &location) {
  if (std::holds_alternative<None>(bound))
    return fallback;
  if (const Opaque *unknown = object<Opaque>(bound))
    fail_unknown(*unknown, location, "a slice");
  const auto *integer = std::get_if<int64_t>(&bound);
  if (!integer)
    throw CompileError(location, "a slice needs integers, got {}", describe(bound));
  return std::clamp(*integer < 0 ? *integer + length : *integer, int64_t{0}, length);
}

/// Positions that a slice picks from a sequence; steps may be negative.
std::vector<size_t> slice_positions(const Slice &slice, int64_t length,
                                    const SourceLocation &location) {
  int64_t step = 1;
  if (const auto *given = std::get_if<int64_t>(&slice.step))
    step = *given;
  else if (!std::holds_alternative<None>(slice.step))
    throw CompileError(location, "a slice needs integers, got {}", describe(slice.step));
  if (step == 0)
    throw CompileError(location, "a slice needs a step other than 0");
  std::vector<size_t> positions;
  if (step > 0) {
    const auto [begin, end] = slice_bounds(slice, length, location);
    for (int64_t i = begin; i < end; i += std::min(step, length))
      positions.push_back(static_cast<size_t>(i));
    return positions;
  }
  if (!std::holds_alternative<None>(slice.start) || !std::holds_alternative<None>(slice.stop))
    throw CompileError(location, "a slice with a negative step and bounds is not supported");
  for (int64_t i = length - 1; i >= 0; i += std::max(step, -length))
    positions.push_back(static_cast<size_t>(i));
  return positions;
}

Value sequence_subscript(Interpreter &interpreter, const Value &sequence, const Value &index,
                         const SourceLocation &location) {
  const std::vector<Value> items = interpreter.iterate(sequence, location);
  const auto length = static_cast<int64_t>(items.size());
  if (const auto *position = std::get_if<int64_t>(&index)) {
    const int64_t i = *position < 0 ? *position + length : *position;
    if (i < 0 || i >= length)
      throw CompileError(location, "index {} is outside a {} of {}", *position, type_name(sequence),
                         length);
    return items[static_cast<size_t>(i)];
  }
  const Slice *slice = object<Slice>(index);
  if (!slice)
    throw CompileError(location, "a {} is indexed by integers, got {}", type_name(sequence),
                       describe(index));
  const std::vector<size_t> positions = slice_positions(*slice, length, location);
  if (const auto parts = sequential_parts(sequence)) {
    std::vector<std::pair<std::string, Value>> some;
    for (const size_t i : positions)
      some.push_back((*parts)[i]);
    return sequential_of(interpreter, some, location);
  }
  std::vector<Value> picked;
  for (const size_t i : positions)
    picked.push_back(items[i]);
  if (object<List>(sequence))
    return interpreter.list(std::move(picked));
  if (object<Tuple>(sequence))
    return interpreter.tuple(std::move(picked));
  std::string text;
  for (const Value &character : picked)
    text += std::get<std::string>(character);
  return text;
}

/// x[:, :c], x[:, 0], x[..., -1]: a part of every sample.
Value tensor_part(Interpreter &interpreter, KerasTensor &tensor, const Value &index,
                  const SourceLocation &location) {
  const Shape &shape = interpreter.keras().graph().type(tensor.node).shape;
  const std::vector<Value> *given = object<Tuple>(index) ? sequence_items(index) : nullptr;
  std::vector<Value> items = given ? *given : std::vector<Value>{index};
  const auto dots = std::find_if(items.begin(), items.end(), [](const Value &item) {
    return std::holds_alternative<Ellipsis>(item);
  });
  const bool has_dots = dots != items.end();
  if (items.size() - (has_dots ? 1 : 0) > shape.size())
    throw CompileError(location, "{} indices into a tensor {}", items.size(), str(shape));
  const size_t missing = shape.size() - (items.size() - (has_dots ? 1 : 0));
  const Value whole = interpreter.make<Slice>(None{}, None{}, None{});
  const auto place = has_dots ? items.erase(dots) : items.end();
  items.insert(place, missing, whole);
  std::vector<Value> begin, end, dropped;
  for (size_t i = 0; i < items.size(); ++i) {
    const auto *position = std::get_if<int64_t>(&items[i]);
    const Slice *slice = object<Slice>(items[i]);
    const bool every = slice && std::holds_alternative<None>(slice->start) &&
                       std::holds_alternative<None>(slice->stop);
    if ((!position && !slice) || (i == 0 && !every) ||
        (slice && !std::holds_alternative<None>(slice->step)))
      throw CompileError(location,
                         "a tensor's indices are integers and slices without a step, all samples "
                         "first: x[:, 0], got {} in dimension {}",
                         describe(items[i]), i);
    const int64_t length = i == 0 ? 1 : shape[i];
    std::pair<int64_t, int64_t> bounds{0, length};
    if (slice)
      bounds = slice_bounds(*slice, length, location);
    else
      bounds.first = *position < 0 ? *position + length : *position;
    if (position) {
      bounds.second = bounds.first + 1;
      dropped.push_back(static_cast<int64_t>(i));
    }
    if (bounds.first < 0 || bounds.first >= bounds.second || bounds.second > length)
      throw CompileError(location, "dimension {} of a tensor {} has no part {}", i, str(shape),
                         describe(items[i]));
    begin.emplace_back(bounds.first);
    end.emplace_back(bounds.second);
  }
  return interpreter.keras().apply_operation("keras.ops.Slice",
                                             {{"begin", interpreter.list(begin)},
                                              {"end", interpreter.list(end)},
                                              {"dropped", interpreter.list(dropped)}},
                                             {&tensor}, location);
}

/// The same, and x[:, None], x[:, :, None, 0], x[..., tf.newaxis]: with new dimensions where the
/// Nones stand among those that remain.
Value tensor_subscript(Interpreter &interpreter, KerasTensor &tensor, const Value &index,
                       const SourceLocation &location) {
  const std::vector<Value> *given = object<Tuple>(index) ? sequence_items(index) : nullptr;
  const std::vector<Value> items = given ? *given : std::vector<Value>{index};
  std::vector<Value> indices;
  std::copy_if(items.begin(), items.end(), std::back_inserter(indices),
               [](const Value &item) { return !std::holds_alternative<None>(item); });
  Value result = tensor_part(interpreter, tensor, interpreter.tuple(indices), location);
  int64_t axis = 0;
  for (const Value &item : items)
    if (std::holds_alternative<None>(item))
      result = interpreter.keras().apply_operation("keras.ops.ExpandDims", {{"axis", axis++}},
                                                   {object<KerasTensor>(result)}, location);
    else if (std::holds_alternative<Ellipsis>(item)) // for the dimensions without an index
      axis += static_cast<int64_t>(interpreter.keras().graph().type(tensor.node).shape.size() + 1 -
                                   indices.size());
    else if (!std::holds_alternative<int64_t>(item))
      ++axis;
  return result;
}

} // namespace

std::pair<int64_t, int64_t> slice_bounds(const Slice &slice, int64_t length,
                                         const SourceLocation &location) {
  return {slice_bound(slice.start, 0, length, location),
          slice_bound(slice.stop, length, length, location)};
}

Value subscript(Interpreter &interpreter, const Value &object_value, const Value &index,
                const SourceLocation &location) {
  if (object<Opaque>(object_value))
    return computed_of(interpreter, object_value);
  if (const auto *module = std::get_if<ModuleName>(&object_value))
    return interpreter.opaque(module->path, location);
  if (const DataArray *array = object<DataArray>(object_value))
    return array_subscript(interpreter, *array, index, location);
  if (KerasTensor *tensor = object<KerasTensor>(object_value))
    return tensor_subscript(interpreter, *tensor, index, location);
  if (dataset_length(interpreter, object_value))
    return interpreter.opaque("a data set", location);
  if (object<Opaque>(index))
    return computed_of(interpreter, index);
  const Instance *instance = instance_of(object_value);
  if (const Function *method = instance ? find_method(*instance->type, "__getitem__") : nullptr)
    return interpreter.call(bind_method(interpreter, *method, object_value), {{index}, {}},
                            location);
  if (Dict *dict = object<Dict>(object_value)) {
    if (const Value *found = interpreter.find_item(*dict, index, location))
      return *found;
    throw CompileError(location, "the dict has no key {}", describe(index));
  }
  if (const auto parts = sequential_parts(object_value)) // of a class that derives from ModuleDict
    for (const auto &[name, part] : *parts)
      if (equal(index, name))
        return part;
  if (sequence_items(object_value) || std::holds_alternative<std::string>(object_value) ||
      sequential_parts(object_value))
    return sequence_subscript(interpreter, object_value, index, location);
  throw CompileError(location, "{} has no items", describe(object_value));
}

} // namespace sinter
