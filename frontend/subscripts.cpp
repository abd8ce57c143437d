#include "frontend/data_array.h"
#include "frontend/interpreter.h"
#include "frontend/torch_modules.h"

#include <algorithm>

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

} // namespace

std::pair<int64_t, int64_t> slice_bounds(const Slice &slice, int64_t length,
                                         const SourceLocation &location) {
  return {slice_bound(slice.start, 0, length, location),
          slice_bound(slice.stop, length, length, location)};
}

Value subscript(Interpreter &interpreter, const Value &object_value, const Value &index,
                const SourceLocation &location) {
  if (object<Opaque>(object_value))
    return object_value;
  if (const auto *module = std::get_if<ModuleName>(&object_value))
    return interpreter.opaque(module->path, location);
  if (const DataArray *array = object<DataArray>(object_value))
    return array_subscript(interpreter, *array, index, location);
  if (object<Opaque>(index))
    return index;
  if (Dict *dict = object<Dict>(object_value)) {
    if (const Value *found = interpreter.find_item(*dict, index, location))
      return *found;
    throw CompileError(location, "the dict has no key {}", describe(index));
  }
  if (sequence_items(object_value) || std::holds_alternative<std::string>(object_value) ||
      sequential_parts(object_value))
    return sequence_subscript(interpreter, object_value, index, location);
  throw CompileError(location, "{} has no items", describe(object_value));
}

} // namespace sinter
