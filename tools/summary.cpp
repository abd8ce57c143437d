#include "tools/summary.h"

#include "ir/op.h"
#include "tools/text_table.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>
#include <map>

namespace sinter {

namespace {

constexpr int kNoLayer = std::numeric_limits<int>::max();

/// The layer of every node, an index of model.layers: the one that the node names, or else (a layer
/// within a layer, an operator between two) the first that computes with it. kNoLayer: the losses.
std::vector<int> layers_of_nodes(const Model &model) {
  std::map<std::string, int> by_name;
  std::map<NodeId, int> by_output;
  for (size_t i = 0; i < model.layers.size(); ++i) {
    by_name.emplace(model.layers[i].name, static_cast<int>(i));
    by_output.emplace(model.layers[i].output, static_cast<int>(i));
  }
  std::vector<int> layers(static_cast<size_t>(model.graph.size()), kNoLayer);
  for (int i = model.graph.size(); i-- > 0;) { // users before their operands
    const Node &node = model.graph[NodeId{i}];
    int &layer = layers[static_cast<size_t>(i)];
    if (const auto named = by_name.find(node.layer); named != by_name.end())
      layer = named->second;
    else if (const auto output = by_output.find(NodeId{i}); output != by_output.end())
      layer = output->second;
    for (NodeId operand : node.inputs) {
      int &user = layers[static_cast<size_t>(operand.index)];
      user = std::min(user, layer);
    }
  }
  return layers;
}

void count_flops(const Model &model, ModelSummary &summary) {
  const std::vector<int> layers = layers_of_nodes(model);
  for (int i = 0; i < model.graph.size(); ++i) {
    const int layer = layers[static_cast<size_t>(i)];
    if (layer == kNoLayer)
      continue;
    const double flops = cost(model.graph, {i}).flops_per_sample;
    summary.layers[static_cast<size_t>(layer)].flops += flops;
    summary.flops += flops;
  }
}

bool is_trainable(const Graph &graph, NodeId parameter) {
  return attrs<ParameterAttrs>(graph[parameter]).role == "weight";
}

/// Those of no layer, too: a module of torch.nn may hold some of its own.
void count_parameters(const Model &model, ModelSummary &summary) {
  for (const NodeId id : model.graph.all(OpKind::parameter))
    (is_trainable(model.graph, id) ? summary.trainable : summary.non_trainable) +=
        model.graph.type(id).elements();
}

void measure_memory(const Program &program, int64_t batch, ModelSummary &summary) {
  summary.batch = batch;
  for (const ParameterSlot &slot : program.parameters)
    (slot.attrs.role == "optimizer" ? summary.optimizer_bytes : summary.parameter_bytes) +=
        slot.bytes;
  summary.inference_bytes = program.infer.arena_bytes(batch);
  if (program.train)
    summary.training_bytes = std::max(program.train->arena_bytes(batch),
                                      program.eval ? program.eval->arena_bytes(batch) : 0);
}

std::string with_commas(int64_t value) {
  std::string digits = std::to_string(value);
  for (size_t i = digits.size(); i > 3; i -= 3)
    digits.insert(i - 3, ",");
  return digits;
}

std::string keras_shape(const Shape &shape) {
  std::string result = "(";
  for (size_t i = 0; i < shape.size(); ++i)
    result += (i ? ", " : "") + (shape[i] == kBatch ? "None" : std::to_string(shape[i]));
  return result + (shape.size() == 1 ? ",)" : ")");
}

/// Whether some layer does not simply follow the one before it: then Keras names what it is
/// connected to.
bool has_branches(const ModelSummary &summary) {
  for (size_t i = 0; i < summary.layers.size(); ++i) {
    const std::vector<std::string> &inbound = summary.layers[i].inbound;
    if (inbound.size() > 1 ||
        (i > 0 && inbound.size() == 1 && inbound[0] != summary.layers[i - 1].name))
      return true;
  }
  return false;
}

std::string connections(const std::vector<std::string> &inbound) {
  std::string result;
  for (const std::string &layer : inbound)
    result += (result.empty() ? "" : ", ") + layer + "[0][0]";
  return result.empty() ? "-" : result;
}

} // namespace

ModelSummary summarize(const Program &program, int64_t batch) {
  const Model &model = program.model;
  ModelSummary summary;
  summary.name = model.name;
  for (const LayerRecord &layer : model.layers) {
    LayerSummary &row = summary.layers.emplace_back();
    row.name = layer.name;
    row.type = layer.type;
    row.output_shape = model.graph.type(layer.output).shape;
    row.inbound = layer.inbound;
    for (NodeId id : layer.parameters)
      row.parameters += model.graph.type(id).elements();
  }
  count_flops(model, summary);
  count_parameters(model, summary);
  measure_memory(program, batch, summary);
  return summary;
}

std::string readable_size(double bytes) {
  const char *units[] = {"B", "KB", "MB", "GB", "TB", "PB"};
  size_t unit = 0;
  for (; unit + 1 < std::size(units) && bytes >= 1024; ++unit)
    bytes /= 1024;
  return fmt::format("{:.2f} {}", bytes, units[unit]);
}

std::string text(const ModelSummary &summary) {
  const bool connected = has_branches(summary);
  TextTable table({{"Layer (type)", Align::left},
                   {"Output Shape", Align::left},
                   {"Param #", Align::right},
                   {"FLOPs", Align::right}});
  if (connected)
    table.add_column({"Connected to", Align::left});
  for (const LayerSummary &layer : summary.layers) {
    std::vector<std::string> row{fmt::format("{} ({})", layer.name, layer.type),
                                 keras_shape(layer.output_shape), with_commas(layer.parameters),
                                 with_commas(static_cast<int64_t>(layer.flops))};
    if (connected)
      row.push_back(connections(layer.inbound));
    table.add_row(std::move(row));
  }
  const auto parameters = [](const char *label, int64_t count) {
    return fmt::format(" {} params: {} ({})\n", label, with_commas(count),
                       readable_size(4.0 * static_cast<double>(count)));
  };
  const auto size = [](int64_t bytes) { return readable_size(static_cast<double>(bytes)); };
  std::string result = fmt::format("Model: \"{}\"\n", summary.name) + table.str();
  result += parameters("Total", summary.trainable + summary.non_trainable);
  result += parameters("Trainable", summary.trainable);
  result += parameters("Non-trainable", summary.non_trainable);
  result += fmt::format(" Forward FLOPs per sample: {}\n",
                        with_commas(static_cast<int64_t>(summary.flops)));
  result += fmt::format(" Memory at batch {}: parameters {}, inference {}", summary.batch,
                        size(summary.parameter_bytes), size(summary.inference_bytes));
  if (summary.training_bytes > 0)
    result += fmt::format(", training {}, optimizer state {}", size(summary.training_bytes),
                          size(summary.optimizer_bytes));
  return result + "\n";
}

nlohmann::ordered_json json(const ModelSummary &summary) {
  nlohmann::ordered_json layers = nlohmann::ordered_json::array();
  for (const LayerSummary &layer : summary.layers) {
    nlohmann::ordered_json shape = nlohmann::ordered_json::array();
    for (int64_t extent : layer.output_shape)
      shape.push_back(extent == kBatch ? nlohmann::ordered_json() : nlohmann::ordered_json(extent));
    layers.push_back({{"name", layer.name},
                      {"type", layer.type},
                      {"output_shape", shape},
                      {"params", layer.parameters},
                      {"flops", static_cast<int64_t>(layer.flops)},
                      {"inbound", layer.inbound}});
  }
  return {{"model", summary.name},
          {"total_params", summary.trainable + summary.non_trainable},
          {"trainable_params", summary.trainable},
          {"non_trainable_params", summary.non_trainable},
          {"flops", static_cast<int64_t>(summary.flops)},
          {"batch", summary.batch},
          {"parameter_bytes", summary.parameter_bytes},
          {"optimizer_bytes", summary.optimizer_bytes},
          {"inference_arena_bytes", summary.inference_bytes},
          {"training_arena_bytes", summary.training_bytes},
          {"layers", layers}};
}

} // namespace sinter
