#include "frontend/file_data.h"

#include <algorithm>

namespace sinter {

namespace {

constexpr float kByteRange = 255;

/// Whether the model computes a linear function of its input before anything else.
bool rescales_input(const Graph &graph) {
  std::vector<bool> is_input(static_cast<size_t>(graph.size()), false);
  for (int i = 0; i < graph.size(); ++i) {
    const Node &node = graph[NodeId{i}];
    const bool of_input =
        !node.inputs.empty() && is_input[static_cast<size_t>(node.inputs[0].index)];
    const auto is = [&](std::initializer_list<OpKind> kinds) {
      return std::find(kinds.begin(), kinds.end(), node.kind) != kinds.end();
    };
    if (of_input &&
        is({OpKind::affine, OpKind::add, OpKind::subtract, OpKind::multiply, OpKind::divide}))
      return true;
    is_input[static_cast<size_t>(i)] =
        node.kind == OpKind::input ||
        (of_input && is({OpKind::reshape, OpKind::transpose, OpKind::pad}));
  }
  return false;
}

} // namespace

std::vector<ScalingStep> divide_by(float divisor) {
  return divisor == 1 ? std::vector<ScalingStep>{} : std::vector<ScalingStep>{{"divide", divisor}};
}

DataSpec default_data(const Model &model) {
  DataSpec data;
  if (!rescales_input(model.graph))
    data.scaling = divide_by(kByteRange);
  data.train.source = "train";
  data.test.source = "test";
  return data;
}

} // namespace sinter
