#include "passes/fold_constants.h"

#include "ir/op.h"
#include "ir/permutation.h"
#include "passes/eliminate_dead_nodes.h"

#include <algorithm>
#include <cmath>

namespace sinter {

namespace {

using Values = std::vector<float>;
using Unary = float (*)(float);
using Binary = float (*)(float, float);

template <typename Function> struct Row {
  OpKind kind;
  Function function;
};

constexpr Row<Unary> kUnaryFunctions[] = {
    {OpKind::negate, [](float x) { return -x; }},
    {OpKind::square, [](float x) { return x * x; }},
    {OpKind::sqrt, [](float x) { return std::sqrt(x); }},
    {OpKind::rsqrt, [](float x) { return 1.0F / std::sqrt(x); }},
    {OpKind::exp, [](float x) { return std::exp(x); }},
    {OpKind::log, [](float x) { return std::log(x); }},
    {OpKind::abs, [](float x) { return std::fabs(x); }},
    {OpKind::relu, [](float x) { return std::max(x, 0.0F); }},
    {OpKind::tanh, [](float x) { return std::tanh(x); }},
    {OpKind::sigmoid, [](float x) { return 1.0F / (1.0F + std::exp(-x)); }},
};

constexpr Row<Binary> kBinaryFunctions[] = {
    {OpKind::add, [](float a, float b) { return a + b; }},
    {OpKind::bias_add, [](float a, float b) { return a + b; }}, // broadcasts as add does
    {OpKind::subtract, [](float a, float b) { return a - b; }},
    {OpKind::multiply, [](float a, float b) { return a * b; }},
    {OpKind::divide, [](float a, float b) { return a / b; }},
    {OpKind::maximum, [](float a, float b) { return a >= b || std::isnan(a) ? a : b; }},
    {OpKind::minimum, [](float a, float b) { return a <= b || std::isnan(a) ? a : b; }},
};

/// The function of a kind, or nullptr.
template <typename Function, size_t N>
Function find_function(const Row<Function> (&table)[N], OpKind kind) {
  for (const Row<Function> &row : table)
    if (row.kind == kind)
      return row.function;
  return nullptr;
}

/// Row-major strides; 0 along dimensions that are broadcast to `rank` dimensions.
std::vector<int64_t> broadcast_strides(const Shape &shape, size_t rank) {
  std::vector<int64_t> strides(rank, 0);
  int64_t stride = 1;
  for (size_t i = 0; i < shape.size(); ++i) {
    const size_t from_the_end = shape.size() - 1 - i;
    if (shape[from_the_end] > 1)
      strides[rank - 1 - i] = stride;
    stride *= shape[from_the_end];
  }
  return strides;
}

/// Reads `values` at every index of `shape` in row-major order, through `strides`.
Values gather(const Values &values, const Shape &shape, const std::vector<int64_t> &strides) {
  int64_t count = 1;
  for (int64_t extent : shape)
    count *= extent;
  Values result(static_cast<size_t>(count));
  std::vector<int64_t> at(shape.size(), 0);
  int64_t offset = 0;
  for (float &value : result) {
    value = values[static_cast<size_t>(offset)];
    for (size_t d = shape.size(); d-- > 0;) {
      offset += strides[d];
      if (++at[d] < shape[d])
        break;
      offset -= strides[d] * shape[d];
      at[d] = 0;
    }
  }
  return result;
}

/// The operand's values as the result sees them; one value stays one.
Values broadcast_operand(const Node &operand, const Shape &shape) {
  const Values &values = attrs<ConstantAttrs>(operand).values;
  if (values.size() == 1)
    return values;
  return gather(values, shape, broadcast_strides(operand.type.shape, shape.size()));
}

std::optional<Values> fold_binary(const RewriteContext &context, Binary function) {
  const Shape &shape = context.node().type.shape;
  const Values a = broadcast_operand(context.after[context.inputs[0]], shape);
  const Values b = broadcast_operand(context.after[context.inputs[1]], shape);
  Values result(std::max(a.size(), b.size()));
  for (size_t i = 0; i < result.size(); ++i)
    result[i] = function(a[a.size() == 1 ? 0 : i], b[b.size() == 1 ? 0 : i]);
  return result;
}

std::optional<Values> fold_transpose(const RewriteContext &context) {
  const Node &operand = context.after[context.inputs[0]];
  const Values &values = attrs<ConstantAttrs>(operand).values;
  if (values.size() == 1)
    return values;
  const std::vector<int64_t> strides =
      broadcast_strides(operand.type.shape, operand.type.shape.size());
  return gather(values, context.node().type.shape,
                permuted(strides, attrs<TransposeAttrs>(context.node()).permutation));
}

std::optional<Values> evaluate(const RewriteContext &context) {
  const Node &node = context.node();
  const Values &first = attrs<ConstantAttrs>(context.after[context.inputs[0]]).values;
  if (const Unary function = find_function(kUnaryFunctions, node.kind)) {
    Values result = first;
    std::transform(result.begin(), result.end(), result.begin(), function);
    return result;
  }
  if (const Binary function = find_function(kBinaryFunctions, node.kind))
    return fold_binary(context, function);
  if (node.kind == OpKind::affine) {
    const auto &affine = attrs<AffineAttrs>(node);
    Values result = first;
    for (float &value : result)
      value = value * affine.scale + affine.offset;
    return result;
  }
  if (node.kind == OpKind::reshape)
    return first;
  if (node.kind == OpKind::transpose)
    return fold_transpose(context);
  return std::nullopt;
}

/// Reshapes and transposes fold at any size and of any type: nothing is computed and nothing grows,
/// and no kernel may read a view of a constant.
bool is_foldable(const RewriteContext &context) {
  const Node &node = context.node();
  const bool moved = node.kind == OpKind::reshape || node.kind == OpKind::transpose;
  const auto is_plain_constant = [&](NodeId id) {
    const Node &operand = context.after[id];
    return operand.kind == OpKind::constant && !operand.type.blocked() &&
           (moved || operand.type.element == ElementType::f32);
  };
  const bool small =
      node.type.element == ElementType::f32 && node.type.elements() <= kMaxFoldedElements;
  return !context.inputs.empty() && !node.type.batched() && (moved || small) &&
         std::all_of(context.inputs.begin(), context.inputs.end(), is_plain_constant);
}

} // namespace

void fold_constants(Graph &graph) {
  graph = rewrite(graph, [](const RewriteContext &context) -> std::optional<NodeId> {
    if (!is_foldable(context))
      return std::nullopt;
    std::optional<Values> values = evaluate(context);
    if (!values)
      return std::nullopt;
    const auto same = [&](float value) { return equal_values(value, values->front()); };
    if (std::all_of(values->begin(), values->end(), same))
      values->resize(1);
    return context.append(OpKind::constant, {}, ConstantAttrs{*values, context.node().type});
  });
  eliminate_dead_nodes(graph);
}

} // namespace sinter
