#include "tests/ir/ops/random_operands.h"

#include "backends/reference/bf16.h"

#include <cmath>
#include <random>

namespace sinter {

namespace {

double draw(const Node &node, double scale, std::mt19937 &random) {
  const auto uniform = [&](double low, double high) {
    return static_cast<double>(
        static_cast<float>(std::uniform_real_distribution<double>(low, high)(random)));
  };
  if (node.kind == OpKind::parameter) {
    const auto &attributes = attrs<ParameterAttrs>(node);
    if (node.type.element == ElementType::i32) // what bf16_filter makes
      return bf16_pair(round_to_bf16(uniform(-1, 1)), round_to_bf16(uniform(-1, 1)));
    const bool ranged = attributes.initializer == "uniform";
    return ranged ? uniform(static_cast<double>(attributes.a), static_cast<double>(attributes.b))
                  : uniform(-1, 1);
  }
  const std::string &role = attrs<InputAttrs>(node).role;
  if (role == "learning_rate")
    return uniform(0, 0.1);
  if (role == "step")
    return std::floor(uniform(1, 100));
  if (role == "label")
    return std::floor(uniform(0, 8));
  if (role == "rng")
    return std::floor(uniform(-1e9, 1e9));
  return scale * uniform(-1, 1);
}

} // namespace

NamedArrays random_inputs(const Graph &graph, int64_t batch, double scale, unsigned seed) {
  std::mt19937 random(seed);
  NamedArrays inputs;
  for (const Node &node : graph.nodes()) {
    if (node.kind != OpKind::input && node.kind != OpKind::parameter)
      continue;
    Array array(node.type, batch);
    for (double &value : array.values)
      value = draw(node, scale, random);
    inputs[node.kind == OpKind::input ? attrs<InputAttrs>(node).name
                                      : attrs<ParameterAttrs>(node).name] = array;
  }
  return inputs;
}

} // namespace sinter
