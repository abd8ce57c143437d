#include "frontend/regularizers.h"

#include "frontend/compose.h"
#include "frontend/configured.h"

namespace sinter {

Penalty find_penalty(const Value &value, const SourceLocation &location) {
  const auto regularizer = find_configured(value, Family::regularizer, location);
  if (!regularizer)
    return {};
  const auto amount = [&](const char *name) {
    return regularizer->arguments.has(name) ? regularizer->arguments.real(name) : 0;
  };
  return {amount("l1"), amount("l2")};
}

NodeId append_penalty(Graph &graph, NodeId x, const Penalty &penalty,
                      const SourceLocation &location) {
  const auto append = [&](OpKind kind, std::vector<NodeId> inputs, Attrs attributes = NoAttrs{}) {
    return graph.append(kind, std::move(inputs), std::move(attributes), {}, location);
  };
  const std::vector<int64_t> axes = compose::axes_between(0, graph.type(x).rank());
  NodeId result;
  const auto add = [&](OpKind measure, float factor) {
    if (factor == 0)
      return;
    const NodeId sum = append(OpKind::reduce_sum, {append(measure, {x})}, ReduceAttrs{axes, false});
    const NodeId scaled = append(OpKind::affine, {sum}, AffineAttrs{factor, 0});
    result = result.valid() ? append(OpKind::add, {result, scaled}) : scaled;
  };
  add(OpKind::abs, penalty.l1);
  add(OpKind::square, penalty.l2);
  return result;
}

std::vector<Native> regularizer_natives() {
  using Kind = ArgumentKind;
  const auto factor = [](const char *name, double fallback) {
    return optional(name, Kind::number, Value(fallback));
  };
  return {{"keras.regularizers.L1", {factor("l1", 0.01)}, configure, Family::regularizer},
          {"keras.regularizers.L2", {factor("l2", 0.01)}, configure, Family::regularizer},
          {"keras.regularizers.L1L2",
           {factor("l1", 0), factor("l2", 0)},
           configure,
           Family::regularizer},
          {"keras.regularizers.l1_l2", // 0.01 each in Keras 2, and in the string 'l1_l2'
           {factor("l1", 0.01), factor("l2", 0.01)},
           configure,
           Family::regularizer}};
}

} // namespace sinter
