#include "frontend/data_array.h"

#include "frontend/interpreter.h"

#include <algorithm>

namespace sinter {

namespace {

DataArray *copy(Interpreter &interpreter, const DataArray &array, const SourceLocation &location) {
  DataArray *result = interpreter.make<DataArray>(array);
  result->location = location;
  return result;
}

bool same_step(const Recorded<SubsetStep> &a, const Recorded<SubsetStep> &b) {
  const bool drawn = a.step.shuffle && a.step.random_state < 0 && a.step.op.rfind("split", 0) == 0;
  return equal_fields(a.step, b.step) && (!drawn || a.location == b.location);
}

Value scale(Interpreter &interpreter, const DataArray &array, const std::vector<ScalingStep> &steps,
            bool integers, const SourceLocation &location) {
  DataArray *result = copy(interpreter, array, location);
  result->integers = integers;
  for (const ScalingStep &step : steps)
    result->scaling.push_back({step, location});
  return result;
}

int64_t value_count(const DataArray &array) {
  int64_t count = 1;
  for (const int64_t extent : array.shape)
    count *= extent;
  return count;
}

/// Arithmetic with an integer keeps NumPy's bytes, which wrap around at 256.
void check_no_wrap(const DataArray &array, const std::string &op, const Value &operand,
                   const SourceLocation &location) {
  if (array.integers && op != "/" && !std::holds_alternative<double>(operand))
    throw CompileError(
        location, "'{}' on bytes wraps around at 256 in NumPy; write astype('float32') first", op);
}

} // namespace

std::string shape_text(const Shape &shape) {
  std::string text;
  for (size_t i = 0; i < shape.size(); ++i)
    text += fmt::format("{}{}", i > 0 ? ", " : "", shape[i]);
  return fmt::format("({}{})", text, shape.size() == 1 ? "," : "");
}

std::string DataArray::str() const {
  return fmt::format("{} {}", labels ? "labels" : "images", shape_text(shape));
}

bool same_samples(const DataArray &a, const DataArray &b) {
  return a.dataset == b.dataset && a.source == b.source &&
         std::equal(a.subset.begin(), a.subset.end(), b.subset.begin(), b.subset.end(), same_step);
}

Value array_arithmetic(Interpreter &interpreter, const std::string &op, const Value &left,
                       const Value &right, const SourceLocation &location) {
  const bool reversed = !object<DataArray>(left);
  const DataArray &array = *object<DataArray>(reversed ? right : left);
  const Value &operand = reversed ? left : right;
  const auto unsupported = [&] {
    interpreter.skip(location, fmt::format("'{}' on {} is not known to Sinter: its result cannot "
                                           "be trained on",
                                           op, array.str()));
    return interpreter.opaque(fmt::format("'{}' on {}", op, array.str()), location);
  };
  if (!is_number(operand) || array.labels)
    return unsupported();
  check_no_wrap(array, op, operand, location);
  const float value = static_cast<float>(to_number(operand));
  if (op == "*")
    return scale(interpreter, array, {{"multiply", value}}, false, location);
  if (op == "+")
    return scale(interpreter, array, {{"add", value}}, false, location);
  if (op == "-" && !reversed)
    return scale(interpreter, array, {{"subtract", value}}, false, location);
  if (op == "-")
    return scale(interpreter, array, {{"multiply", -1.0F}, {"add", value}}, false, location);
  if (op == "/" && !reversed) {
    if (value == 0)
      throw CompileError(location, "division by zero");
    return scale(interpreter, array, {{"divide", value}}, false, location);
  }
  return unsupported();
}

Value pick_samples(Interpreter &interpreter, const DataArray &array, const SubsetStep &step,
                   int64_t count, const SourceLocation &location) {
  DataArray *result = copy(interpreter, array, location);
  result->subset.push_back({step, location});
  result->shape[0] = count;
  return result;
}

Value array_subscript(Interpreter &interpreter, const DataArray &array, const Value &index,
                      const SourceLocation &location) {
  const std::vector<Value> *given = object<Tuple>(index) ? sequence_items(index) : nullptr;
  const std::vector<Value> parts = given ? *given : std::vector<Value>{index};
  const auto is_all = [](const Value &part) {
    const Slice *slice = object<Slice>(part);
    return slice && std::holds_alternative<None>(slice->start) &&
           std::holds_alternative<None>(slice->stop) && std::holds_alternative<None>(slice->step);
  };
  const auto unknown = [&] {
    return interpreter.opaque(fmt::format("indexing {}", array.str()), location);
  };
  // np.newaxis adds a dimension of 1; `...` and `:` keep dimensions; [a:b] first picks samples.
  Shape shape;
  size_t next = 0;
  const Slice *samples = nullptr;
  for (size_t i = 0; i < parts.size(); ++i) {
    const Value &part = parts[i];
    if (std::holds_alternative<None>(part) && i > 0) {
      shape.push_back(1);
    } else if (std::holds_alternative<Ellipsis>(part)) {
      const auto later =
          std::count_if(parts.begin() + static_cast<std::ptrdiff_t>(i) + 1, parts.end(),
                        [](const Value &v) { return !std::holds_alternative<None>(v); });
      while (next + static_cast<size_t>(later) < array.shape.size())
        shape.push_back(array.shape[next++]);
    } else if (object<Slice>(part) && next < array.shape.size() && (next == 0 || is_all(part))) {
      if (next == 0 && !is_all(part))
        samples = object<Slice>(part);
      shape.push_back(array.shape[next++]);
    } else {
      return unknown();
    }
  }
  shape.insert(shape.end(), array.shape.begin() + static_cast<std::ptrdiff_t>(next),
               array.shape.end());
  DataArray *result = copy(interpreter, array, location);
  result->shape = shape;
  if (!samples)
    return result;
  if (!std::holds_alternative<None>(samples->step) && !equal(samples->step, int64_t{1}))
    return unknown();
  const auto [begin, end] = slice_bounds(*samples, shape[0], location);
  SubsetStep step;
  step.start = begin;
  step.stop = end;
  const bool to_the_end = std::holds_alternative<None>(samples->stop);
  if (to_the_end)
    step.stop = INT64_MAX;
  return pick_samples(interpreter, *result, step, std::max(end - begin, int64_t{0}), location);
}

std::optional<Value> array_attribute(Interpreter &interpreter, const DataArray &array,
                                     const std::string &name) {
  if (name == "shape")
    return interpreter.tuple({array.shape.begin(), array.shape.end()});
  if (name == "ndim")
    return static_cast<int64_t>(array.shape.size());
  if (name == "size")
    return value_count(array);
  return std::nullopt;
}

Value reshape_array(Interpreter &interpreter, const DataArray &array,
                    const std::vector<Value> &dims, const SourceLocation &location) {
  const int64_t total = value_count(array);
  Shape shape;
  int64_t product = 1;
  bool inferred = false;
  for (const Value &dim : dims) {
    if (const Opaque *unknown = object<Opaque>(dim))
      fail_unknown(*unknown, location, "a shape");
    const auto *extent = std::get_if<int64_t>(&dim);
    if (!extent || *extent < -1 || *extent == 0 || (*extent == -1 && inferred))
      throw CompileError(location, "{} is no dimension to reshape to", describe(dim));
    inferred = inferred || *extent == -1;
    shape.push_back(*extent);
    if (*extent > 0 && __builtin_mul_overflow(product, *extent, &product))
      product = INT64_MAX;
  }
  const bool fits = inferred ? total % product == 0 : total == product;
  if (!fits || (total == 0 && inferred))
    throw CompileError(location, "{} with {} values cannot be reshaped to {}", array.str(), total,
                       shape_text(shape));
  for (int64_t &extent : shape)
    extent = extent == -1 ? total / product : extent;
  if (shape.empty() || shape[0] != array.shape[0])
    return interpreter.opaque(fmt::format("reshaping {}", array.str()), location);
  DataArray *result = copy(interpreter, array, location);
  result->shape = shape;
  return result;
}

} // namespace sinter
