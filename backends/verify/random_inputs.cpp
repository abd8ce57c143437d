#include "backends/verify/random_inputs.h"

#include "backends/reference/bf16.h"

#include <cmath>
#include <random>

namespace sinter {

namespace {

class Generator {
public:
  explicit Generator(uint64_t seed) : engine_(seed) {}

  /// In [low, high), by 24 bits of the engine: std's distributions differ between libraries.
  double uniform(double low, double high) {
    return low + (high - low) * static_cast<double>(engine_() >> 40) / (1 << 24);
  }
  int64_t below(int64_t limit) {
    return static_cast<int64_t>(engine_() % static_cast<uint64_t>(limit));
  }
  void fill_uniform(Array &array, double low, double high) {
    for (double &value : array.values)
      value = static_cast<double>(static_cast<float>(uniform(low, high)));
  }

private:
  std::mt19937_64 engine_;
};

Array random_parameter(const ParameterAttrs &attrs, int64_t batch, Generator &random) {
  Array value(attrs.type, batch);
  const double a = static_cast<double>(attrs.a);
  const double b = static_cast<double>(attrs.b);
  if (attrs.type.element == ElementType::i32) // what bf16_filter makes
    for (double &pair : value.values) {
      const double first = round_to_bf16(random.uniform(-0.2, 0.2));
      pair = bf16_pair(first, round_to_bf16(random.uniform(-0.2, 0.2)));
    }
  else if (attrs.role == "optimizer")
    random.fill_uniform(value, 0, 1e-3); // as small as gradients: none disappears beside it
  else if (attrs.initializer == "ones")
    random.fill_uniform(value, 0.5, 1.5);
  else if (attrs.initializer == "uniform")
    random.fill_uniform(value, a, b);
  else if (attrs.initializer == "constant")
    random.fill_uniform(value, a - 0.1, a + 0.1);
  else if (attrs.initializer == "normal" || attrs.initializer == "truncated_normal")
    random.fill_uniform(value, a - std::sqrt(3.0) * b,
                        a + std::sqrt(3.0) * b); // same mean, variance
  else
    random.fill_uniform(value, -0.2, 0.2);
  return value;
}

/// How many classes an integer label may name.
int64_t class_count(const Graph &graph, NodeId label) {
  for (NodeId id : graph.all(OpKind::one_hot))
    if (graph[id].inputs[0] == label)
      return attrs<OneHotAttrs>(graph[id]).depth;
  return 2;
}

void fill_labels(Array &labels, int64_t classes, Generator &random) {
  const Shape extents = labels.extents();
  const bool one_hot_rows =
      labels.type.element == ElementType::f32 && extents.size() >= 2 && extents.back() > 1;
  if (one_hot_rows)
    for (int64_t first = 0; first < labels.size(); first += extents.back())
      labels[first + random.below(extents.back())] = 1;
  else
    for (double &value : labels.values)
      value = static_cast<double>(random.below(classes));
}

Array random_input(const Graph &graph, NodeId id, int64_t batch, Generator &random) {
  const InputAttrs &input = attrs<InputAttrs>(graph[id]);
  Array value(input.type, batch);
  if (input.role == "learning_rate")
    value[0] = static_cast<double>(1e-3F);
  else if (input.role == "step")
    value[0] = 3;
  else if (input.role == "rng" || (input.role == "data" && input.type.element == ElementType::i32))
    for (double &element : value.values)
      element = static_cast<double>(random.below(int64_t{1} << 31));
  else if (input.role == "label" || input.type.element != ElementType::f32)
    fill_labels(value, class_count(graph, id), random);
  else
    random.fill_uniform(value, -1, 1);
  return value;
}

} // namespace

NamedArrays random_inputs(const Graph &graph, int64_t batch, uint64_t seed) {
  Generator random(seed);
  NamedArrays values;
  for (NodeId id : graph.all(OpKind::parameter)) {
    const ParameterAttrs &parameter = attrs<ParameterAttrs>(graph[id]);
    values.emplace(parameter.name, random_parameter(parameter, batch, random));
  }
  for (NodeId id : graph.all(OpKind::input))
    values.emplace(leaf_name(graph, id), random_input(graph, id, batch, random));
  return values;
}

} // namespace sinter
