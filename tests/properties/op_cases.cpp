#include "op_cases.h"

#include "ir/diagnostics.h"
#include "ir/op.h"
#include "ir/parse.h"
#include "ir/print.h"
#include "random_source.h"
#include "window_cases.h"

#include <algorithm>
#include <map>
#include <optional>

namespace sinter {

namespace {

const std::vector<int64_t> kExtents{1, 2, 3, 5, 7, 8, 13, 16, 17, 31, 33};
constexpr int kAttempts = 300; // of which most may be ill-typed

using Substitution = std::map<int64_t, int64_t>;

/// Replaces extents consistently: the same number stays the same number. Each is kept by a coin, so
/// that shapes which depend on others (a reshape's) have a chance to fit. The batch becomes a
/// static extent now and then.
int64_t substitute(Substitution &map, int64_t extent, RandomSource &random) {
  if (extent == kBatch)
    return map.emplace(extent, random.pick<int64_t>({kBatch, kBatch, kBatch, 1, 4})).first->second;
  const auto [entry, fresh] = map.emplace(extent, extent);
  if (fresh && random.coin())
    entry->second = random.pick(kExtents);
  return entry->second;
}

void vary(Shape &shape, Substitution &map, RandomSource &random) {
  for (int64_t &extent : shape)
    extent = substitute(map, extent, random);
}

std::vector<int64_t> some_axes(int64_t first, int64_t rank, RandomSource &random) {
  std::vector<int64_t> axes;
  for (int64_t axis = first; axis < rank; ++axis)
    if (random.coin())
      axes.push_back(axis);
  return axes;
}

ResampleAttrs random_table(const Shape &shape, RandomSource &random) {
  ResampleAttrs table;
  table.axis = random.between(1, static_cast<int64_t>(shape.size()) - 1);
  table.taps = random.pick<int64_t>({1, 2, 4, 17});
  const bool weighted = random.coin();
  for (int64_t i = random.between(1, 9) * table.taps; i > 0; --i) {
    table.indices.push_back(random.between(0, shape[static_cast<size_t>(table.axis)] - 1));
    if (weighted)
      table.weights.push_back(static_cast<float>(random.between(-4, 4)) / 4);
  }
  return table;
}

/// Other axes and orders, where the rank allows.
void vary_structure(Attrs &attributes, const Shape &shape, RandomSource &random) {
  const auto rank = static_cast<int64_t>(shape.size());
  if (ReduceAttrs *reduce = std::get_if<ReduceAttrs>(&attributes)) {
    reduce->axes = some_axes(0, rank, random);
    reduce->keep_dims = random.coin();
  } else if (TransposeAttrs *transpose = std::get_if<TransposeAttrs>(&attributes)) {
    for (size_t i = transpose->permutation.size(); i > 2; --i) // dimension 0 stays
      std::swap(
          transpose->permutation[i - 1],
          transpose
              ->permutation[static_cast<size_t>(random.between(1, static_cast<int64_t>(i) - 1))]);
  } else if (AxisAttrs *axis = std::get_if<AxisAttrs>(&attributes)) {
    axis->axis = random.between(1, rank - 1);
  } else if (ArgmaxAttrs *argmax = std::get_if<ArgmaxAttrs>(&attributes)) {
    *argmax = {random.between(1, rank - 1), random.coin()};
  } else if (CumulativeSumAttrs *sum = std::get_if<CumulativeSumAttrs>(&attributes)) {
    *sum = {random.between(1, rank - 1), random.coin(), random.coin()};
  } else if (TopKAttrs *top = std::get_if<TopKAttrs>(&attributes)) {
    *top = {random.between(1, rank - 1), random.between(1, 5), random.coin()};
  } else if (ChannelSumAttrs *sums = std::get_if<ChannelSumAttrs>(&attributes)) {
    *sums = {random.between(0, 3), random.pick<int64_t>({0, 2, 15})};
  } else if (ReverseAttrs *reverse = std::get_if<ReverseAttrs>(&attributes)) {
    reverse->axes = some_axes(1, rank, random);
  } else if (ResampleAttrs *table = std::get_if<ResampleAttrs>(&attributes)) {
    *table = random_table(shape, random);
  } else if (SliceAttrs *slice = std::get_if<SliceAttrs>(&attributes)) {
    slice->end = shape;
    for (size_t i = 1; i < shape.size(); ++i) {
      slice->begin[i] = random.between(0, shape[i] - 1);
      slice->end[i] = random.between(slice->begin[i] + 1, shape[i]);
      slice->step[i] = random.between(1, 3);
    }
  } else if (PadAttrs *pad = std::get_if<PadAttrs>(&attributes)) {
    for (size_t i = 1; i < pad->low.size(); ++i) {
      pad->low[i] = random.between(0, 3);
      pad->high[i] = random.between(0, 3);
      pad->interior[i] = random.pick<int64_t>({0, 0, 1, 3});
    }
  }
}

/// The types that attributes hold, varied.
void vary_types(Attrs &attributes, Substitution &map, RandomSource &random) {
  if (InputAttrs *input = std::get_if<InputAttrs>(&attributes)) {
    if (input->role != "rng")
      vary(input->type.shape, map, random);
  } else if (ParameterAttrs *parameter = std::get_if<ParameterAttrs>(&attributes)) {
    vary(parameter->type.shape, map, random);
  } else if (ReshapeAttrs *reshape = std::get_if<ReshapeAttrs>(&attributes)) {
    vary(reshape->shape, map, random);
  } else if (BroadcastAttrs *broadcast = std::get_if<BroadcastAttrs>(&attributes)) {
    vary(broadcast->shape, map, random);
  } else if (DropoutMaskAttrs *mask = std::get_if<DropoutMaskAttrs>(&attributes)) {
    vary(mask->shape, map, random);
  } else if (RandomUniformAttrs *uniform = std::get_if<RandomUniformAttrs>(&attributes)) {
    vary(uniform->shape, map, random);
  } else if (OneHotAttrs *one_hot = std::get_if<OneHotAttrs>(&attributes)) {
    one_hot->depth = substitute(map, one_hot->depth, random);
  }
}

/// Updates of parameters meet gradients and state of the same storage block: every static operand
/// becomes a parameter of that block.
bool make_blocked(OpKind &kind, Attrs &attributes, int64_t block) {
  if (InputAttrs *input = std::get_if<InputAttrs>(&attributes)) {
    const TensorType type = input->type;
    if (type.element != ElementType::f32 || type.shape.empty())
      return true;
    if (type.batched())
      return false;
    kind = OpKind::parameter;
    attributes = uniform_parameter(input->name, type);
  }
  if (ParameterAttrs *parameter = std::get_if<ParameterAttrs>(&attributes))
    parameter->type.block = parameter->type.shape.empty() ? 0 : block;
  return true;
}

/// One attempt; nothing when the varied graph is ill-typed.
std::optional<Graph> vary(const Graph &example, RandomSource &random) {
  Graph graph;
  Substitution map;
  const bool blocked = random.coin() && example.all(OpKind::parameter).size() > 0;
  const int64_t block = blocked ? random.pick<int64_t>({4, 8, 16}) : 0;
  try {
    for (int i = 0; i < example.size(); ++i) {
      const Node &node = example[NodeId{i}];
      OpKind kind = node.kind;
      Attrs attributes = node.attrs;
      vary_types(attributes, map, random);
      if (i + 1 == example.size() && !node.inputs.empty() && random.coin())
        vary_structure(attributes, graph.type(node.inputs[0]).shape, random);
      if (blocked && !make_blocked(kind, attributes, block))
        return std::nullopt;
      graph.append(kind, node.inputs, attributes);
    }
  } catch (const CompileError &) {
    return std::nullopt;
  }
  return graph;
}

OpCase finish(Graph graph, int64_t batch) {
  OpCase result;
  result.batch = batch;
  graph.outputs = {{"result", NodeId{graph.size() - 1}}};
  result.text = print(graph);
  result.graph = std::move(graph);
  return result;
}

} // namespace

std::vector<OpCase> op_cases(OpKind kind, int count, uint64_t seed) {
  RandomSource random(seed * 1000 + static_cast<uint64_t>(kind));
  const Graph example = parse_graph(std::string(op_def(kind).example), name(kind));
  std::vector<OpCase> cases;
  cases.push_back(finish(example, 3));
  for (int attempt = 0; attempt < kAttempts && static_cast<int>(cases.size()) < count; ++attempt) {
    std::optional<Graph> graph;
    try {
      graph = random_geometry(kind, random);
    } catch (const CompileError &) { // a window that does not fit
      continue;
    }
    if (!graph)
      graph = vary(example, random);
    if (!graph)
      continue;
    OpCase candidate = finish(std::move(*graph), random.between(1, 13));
    const auto same = [&](const OpCase &other) { return other.text == candidate.text; };
    if (std::none_of(cases.begin(), cases.end(), same))
      cases.push_back(std::move(candidate));
  }
  return cases;
}

} // namespace sinter
