// Arithmetic and comparison of Python values.
#include "frontend/data_array.h"
#include "frontend/interpreter.h"
#include "frontend/keras_session.h"
#include "frontend/modules.h"
#include "frontend/torch_modules.h"

#include <algorithm>
#include <cmath>

namespace sinter {

namespace {

[[noreturn]] void fail_operands(const std::string &op, const Value &left, const Value &right,
                                const SourceLocation &location) {
  throw CompileError(location, "'{}' does not apply to {} and {}", op, describe(left),
                     describe(right));
}

bool is_integral(const Value &value) {
  return std::holds_alternative<int64_t>(value) || std::holds_alternative<bool>(value);
}

int64_t to_integer(const Value &value) {
  const auto *boolean = std::get_if<bool>(&value);
  return boolean ? (*boolean ? 1 : 0) : std::get<int64_t>(value);
}

/// The result of an exact operation, or an error where Python's integers would grow.
int64_t exact(bool overflow, int64_t result, const SourceLocation &location) {
  if (overflow)
    throw CompileError(location, "the integer result does not fit in 64 bits");
  return result;
}

int64_t integer_power(int64_t base, int64_t exponent, const SourceLocation &location) {
  int64_t result = 1;
  bool overflow = false;
  while (exponent > 0) {
    if ((exponent & 1) != 0)
      overflow = __builtin_mul_overflow(result, base, &result) || overflow;
    exponent >>= 1;
    if (exponent > 0)
      overflow = __builtin_mul_overflow(base, base, &base) || overflow;
    if (overflow)
      break;
  }
  return exact(overflow, result, location);
}

/// Python rounds quotients down, and remainders have the divisor's sign.
int64_t floor_divide(int64_t a, int64_t b, const SourceLocation &location) {
  if (b == -1)
    return exact(a == INT64_MIN, a == INT64_MIN ? 0 : -a, location);
  const int64_t quotient = a / b;
  return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient;
}

Value integer_operation(const std::string &op, int64_t a, int64_t b,
                        const SourceLocation &location) {
  int64_t result = 0;
  bool overflow = false;
  if ((op == "/" || op == "//" || op == "%") && b == 0)
    throw CompileError(location, "division by zero");
  if (op == "/")
    return static_cast<double>(a) / static_cast<double>(b);
  if (op == "+")
    overflow = __builtin_add_overflow(a, b, &result);
  else if (op == "-")
    overflow = __builtin_sub_overflow(a, b, &result);
  else if (op == "*")
    overflow = __builtin_mul_overflow(a, b, &result);
  else if (op == "//")
    result = floor_divide(a, b, location);
  else if (op == "%")
    result = b == -1 ? 0 : a - floor_divide(a, b, location) * b;
  else if (op == "**" && b >= 0)
    result = integer_power(a, b, location);
  else if (op == "&")
    result = a & b;
  else if (op == "|")
    result = a | b;
  else if (op == "^")
    result = a ^ b;
  else if (op == ">>" && b >= 0)
    result = a >> std::min<int64_t>(b, 63);
  else if (op == "<<" && b >= 0)
    overflow = b > 62 || __builtin_mul_overflow(a, int64_t{1} << b, &result);
  else
    return None{};
  return exact(overflow, result, location);
}

Value real_operation(const std::string &op, double a, double b, const SourceLocation &location) {
  if ((op == "/" || op == "//" || op == "%") && b == 0)
    throw CompileError(location, "division by zero");
  if (op == "+")
    return a + b;
  if (op == "-")
    return a - b;
  if (op == "*")
    return a * b;
  if (op == "/")
    return a / b;
  if (op == "//")
    return std::floor(a / b);
  if (op == "%")
    return a - std::floor(a / b) * b;
  if (op == "**")
    return std::pow(a, b);
  return None{};
}

Value repeat(Interpreter &interpreter, const Value &sequence, int64_t times,
             const SourceLocation &location) {
  const std::vector<Value> *items = sequence_items(sequence);
  const auto *text = std::get_if<std::string>(&sequence);
  const auto length = static_cast<int64_t>(items ? items->size() : text->size());
  int64_t total = 0;
  if (__builtin_mul_overflow(length, std::max<int64_t>(times, 0), &total))
    total = INT64_MAX / 2;
  if (text) {
    interpreter.charge(total / 16, location);
    std::string repeated;
    for (int64_t i = 0; i < times && length > 0; ++i)
      repeated += *text;
    return repeated;
  }
  std::vector<Value> repeated;
  for (int64_t i = 0; i < times && length > 0; ++i) {
    interpreter.charge_items(*items, location);
    repeated.insert(repeated.end(), items->begin(), items->end());
  }
  return object<List>(sequence) ? interpreter.list(std::move(repeated))
                                : interpreter.tuple(std::move(repeated));
}

Value concatenate(Interpreter &interpreter, const Value &left, const Value &right,
                  const SourceLocation &location) {
  if (const auto *text = std::get_if<std::string>(&left)) {
    std::string joined = *text + std::get<std::string>(right);
    interpreter.charge_text(joined, location);
    return joined;
  }
  std::vector<Value> joined = *sequence_items(left);
  const std::vector<Value> &tail = *sequence_items(right);
  joined.insert(joined.end(), tail.begin(), tail.end());
  interpreter.charge_items(joined, location);
  return object<List>(left) ? interpreter.list(std::move(joined))
                            : interpreter.tuple(std::move(joined));
}

/// 'conv%d' % 3, '%s_%02d' % ('a', 1)
Value percent_format(Interpreter &interpreter, const std::string &format, const Value &operand,
                     const SourceLocation &location) {
  const Tuple *tuple = object<Tuple>(operand);
  const std::vector<Value> values = tuple ? tuple->items : std::vector<Value>{operand};
  std::string text;
  size_t next = 0;
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') {
      text += format[i];
      continue;
    }
    size_t end = i + 1;
    while (end < format.size() &&
           std::string_view("0123456789.+- ").find(format[end]) != std::string_view::npos)
      ++end;
    if (end == format.size())
      throw CompileError(location, "an incomplete format: '{}'", format);
    if (format[end] == '%') {
      text += '%';
    } else {
      if (next == values.size())
        throw CompileError(location, "too few values for the format '{}'", format);
      const std::string spec = format.substr(i + 1, end - i - 1);
      const char kind = format[end] == 'i' ? 'd' : format[end];
      text +=
          kind == 's' ? to_text(values[next]) : format_value(values[next], spec + kind, location);
      interpreter.charge_text(text, location);
      ++next;
    }
    i = end;
  }
  if (next < values.size())
    throw CompileError(location, "too many values for the format '{}'", format);
  return text;
}

bool contains(Interpreter &interpreter, const Value &item, const Value &container,
              const SourceLocation &location) {
  if (Dict *dict = object<Dict>(container))
    return interpreter.find_item(*dict, item, location) != nullptr;
  if (const std::vector<Value> *items = sequence_items(container)) {
    interpreter.charge(static_cast<int64_t>(items->size()) * extent(item) / 4, location);
    return std::any_of(items->begin(), items->end(),
                       [&](const Value &other) { return equal(item, other); });
  }
  const auto *text = std::get_if<std::string>(&container);
  const auto *part = std::get_if<std::string>(&item);
  if (text && part)
    return text->find(*part) != std::string::npos;
  fail_operands("in", item, container, location);
}

/// -1, 0 or 1; lists and tuples compare item by item.
int order(const std::string &op, const Value &left, const Value &right,
          const SourceLocation &location, int depth) {
  if (is_integral(left) && is_integral(right))
    return to_integer(left) < to_integer(right) ? -1 : to_integer(left) > to_integer(right);
  if (is_number(left) && is_number(right))
    return to_number(left) < to_number(right) ? -1 : to_number(left) > to_number(right);
  const auto *a = std::get_if<std::string>(&left);
  const auto *b = std::get_if<std::string>(&right);
  if (a && b)
    return a->compare(*b) < 0 ? -1 : *a != *b;
  const std::vector<Value> *x = sequence_items(left);
  const std::vector<Value> *y = sequence_items(right);
  if (!x || !y || left.index() != right.index() || depth > 20)
    fail_operands(op, left, right, location);
  for (size_t i = 0; i < std::min(x->size(), y->size()); ++i)
    if (!equal((*x)[i], (*y)[i]))
      return order(op, (*x)[i], (*y)[i], location, depth + 1);
  return x->size() < y->size() ? -1 : x->size() > y->size();
}

bool same_object(const Value &left, const Value &right) {
  if (left.index() != right.index())
    return false;
  return sequence_items(left) || object<Dict>(left) ? std::visit(
                                                          [&](const auto &x) {
                                                            using T = std::decay_t<decltype(x)>;
                                                            if constexpr (std::is_pointer_v<T>)
                                                              return x == std::get<T>(right);
                                                            else
                                                              return false;
                                                          },
                                                          left)
                                                    : equal(left, right);
}

/// Unknown, too; but what a torch.nn.Parameter may start as is known times a number.
Value opaque_operation(Interpreter &interpreter, const std::string &op, const Value &left,
                       const Value &right) {
  const Value &unknown = object<Opaque>(left) ? left : right;
  const Value &other = object<Opaque>(left) ? right : left;
  Opaque *example = object<Opaque>(unknown);
  if (!example->start)
    return unknown;
  if (is_number(other) && op == "*")
    return scaled_example(interpreter, *example, to_number(other));
  if (is_number(other) && op == "/" && &unknown == &left && to_number(other) != 0)
    return scaled_example(interpreter, *example, 1 / to_number(other));
  return computed_of(interpreter, unknown);
}

} // namespace

Value binary_operation(Interpreter &interpreter, const std::string &op, const Value &left,
                       const Value &right, const SourceLocation &location) {
  if (object<Opaque>(left) || object<Opaque>(right))
    return opaque_operation(interpreter, op, left, right);
  if (object<DataArray>(left) || object<DataArray>(right))
    return array_arithmetic(interpreter, op, left, right, location);
  if (object<KerasTensor>(left) || object<KerasTensor>(right))
    return interpreter.keras().tensor_arithmetic(op, left, right, location);
  Value result = None{};
  if (is_integral(left) && is_integral(right))
    result = integer_operation(op, to_integer(left), to_integer(right), location);
  if (std::holds_alternative<None>(result) && is_number(left) && is_number(right))
    result = real_operation(op, to_number(left), to_number(right), location);
  if (!std::holds_alternative<None>(result))
    return result;
  const bool text = std::holds_alternative<std::string>(left);
  const bool left_sequence = sequence_items(left) || text;
  const bool right_sequence = sequence_items(right) || std::holds_alternative<std::string>(right);
  if (op == "+" && left_sequence && left.index() == right.index())
    return concatenate(interpreter, left, right, location);
  if (op == "*" && left_sequence && is_integral(right))
    return repeat(interpreter, left, to_integer(right), location);
  if (op == "*" && right_sequence && is_integral(left))
    return repeat(interpreter, right, to_integer(left), location);
  if (op == "%" && text)
    return percent_format(interpreter, std::get<std::string>(left), right, location);
  fail_operands(op, left, right, location);
}

Value unary_operation(Interpreter &interpreter, const std::string &op, const Value &operand,
                      const SourceLocation &location) {
  if (const Opaque *unknown = object<Opaque>(operand))
    return op == "-" && unknown->start ? Value(scaled_example(interpreter, *unknown, -1))
                                       : computed_of(interpreter, operand);
  if (op == "-" && (object<DataArray>(operand) || object<KerasTensor>(operand)))
    return binary_operation(interpreter, "*", operand, int64_t{-1}, location);
  if (is_integral(operand) && op == "~")
    return ~to_integer(operand);
  if (is_integral(operand) && op == "-")
    return exact(to_integer(operand) == INT64_MIN,
                 to_integer(operand) == INT64_MIN ? 0 : -to_integer(operand), location);
  if (is_integral(operand) && op == "+")
    return to_integer(operand);
  if (is_number(operand) && op != "~")
    return op == "-" ? -to_number(operand) : to_number(operand);
  throw CompileError(location, "'{}' does not apply to {}", op, describe(operand));
}

Value comparison(Interpreter &interpreter, const std::string &op, const Value &left,
                 const Value &right, const SourceLocation &location) {
  interpreter.charge(std::min(extent(left), extent(right)) / 4, location);
  if (op == "is")
    return same_object(left, right);
  if (op == "is not")
    return !same_object(left, right);
  if (object<Opaque>(left) || object<Opaque>(right))
    return computed_of(interpreter, object<Opaque>(left) ? left : right);
  for (const Value *side : {&left, &right}) // sys.version_info >= (3, 7)
    if (const auto *name = std::get_if<ModuleName>(side); name && is_skipped(name->path))
      return interpreter.opaque(name->path, location);
  if (op == "in")
    return contains(interpreter, left, right, location);
  if (op == "not in")
    return !contains(interpreter, left, right, location);
  if (object<DataArray>(left) || object<DataArray>(right))
    throw CompileError(location,
                       "{} cannot be compared: the data reach the program only when it "
                       "runs",
                       describe(object<DataArray>(left) ? left : right));
  if (op == "==")
    return equal(left, right);
  if (op == "!=")
    return !equal(left, right);
  const int sign = order(op, left, right, location, 0);
  return op == "<" ? sign < 0 : op == "<=" ? sign <= 0 : op == ">" ? sign > 0 : sign >= 0;
}

} // namespace sinter
