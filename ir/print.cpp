#include "ir/print.h"

#include "ir/diagnostics.h"

#include <fmt/format.h>

namespace sinter {

namespace {

std::string text(bool value) { return value ? "true" : "false"; }
std::string text(int64_t value) { return std::to_string(value); }
std::string text(float value) { return fmt::format("{}", value); } // shortest that reads back
std::string text(double value) { return fmt::format("{}", value); }
std::string text(ElementType value) { return name(value); }
std::string text(const TensorType &value) { return value.str(); }

std::string text(const std::string &value) {
  std::string quoted = "\"";
  for (char c : value) {
    if (c == '"' || c == '\\')
      quoted += '\\';
    if (c == '\n')
      quoted += "\\n";
    else
      quoted += c;
  }
  return quoted + "\"";
}

/// Extents: the batch prints as N.
std::string extent_text(int64_t value) { return value == kBatch ? "N" : std::to_string(value); }
std::string extent_text(float value) { return text(value); }

template <typename List> std::string list_text(const List &values) {
  std::string result = "[";
  for (size_t i = 0; i < values.size(); ++i)
    result += (i ? "," : "") + extent_text(values[i]);
  return result + "]";
}

template <size_t count> std::string text(const std::array<int64_t, count> &v) {
  return list_text(v);
}
std::string text(const std::vector<int64_t> &values) { return list_text(values); }
std::string text(const std::vector<float> &values) { return list_text(values); }

/// `{a=1, b=[2,3]}` of the fields that differ from their default, or "" when none does.
template <typename A> std::string fields_text(const A &attributes) {
  const A defaults{};
  std::string result;
  A::fields([&](const char *field, auto member) {
    if (!equal_values(attributes.*member, defaults.*member))
      result += (result.empty() ? "" : ", ") + std::string(field) + "=" + text(attributes.*member);
  });
  return result.empty() ? "" : "{" + result + "}";
}

std::string location_text(const SourceLocation &location) {
  if (!location.known())
    return "";
  return fmt::format(" loc({}:{}:{})", text(*location.file), location.line, location.column);
}

std::string id_text(NodeId id) { return fmt::format("%{}", id.index); }

std::string ids_text(const std::vector<NodeId> &ids) {
  std::string result;
  for (size_t i = 0; i < ids.size(); ++i)
    result += (i ? ", " : "") + id_text(ids[i]);
  return result;
}

std::string section(const char *keyword, const std::string &fields) {
  return fmt::format("  {} {}\n", keyword, fields.empty() ? "{}" : fields);
}

std::string subset_text(const char *role, const Subset &subset) {
  if (subset.source.empty())
    return "";
  std::string line = fmt::format("  subset {} {}", text(std::string(role)), text(subset.source));
  for (const SubsetStep &step : subset.steps) {
    const std::string fields = fields_text(step);
    line += " " + (fields.empty() ? std::string("{}") : fields);
  }
  return line + "\n";
}

std::string data_text(const DataSpec &data) {
  std::string result = fmt::format("  data {} one_hot={}{}\n", text(data.dataset), data.one_hot,
                                   data.reconstruct ? " reconstruct" : "");
  for (const ScalingStep &step : data.scaling)
    result += section("scaling", fields_text(step));
  return result + subset_text("train", data.train) + subset_text("validation", data.validation) +
         subset_text("test", data.test);
}

std::string training_text(const TrainingSpec &training) {
  std::string result = fmt::format("  training epochs={} batch_size={} shuffle={}\n",
                                   training.epochs, training.batch_size, text(training.shuffle));
  result += section("optimizer", fields_text(training.optimizer));
  if (training.optimizer.schedule)
    result += section("schedule", fields_text(*training.optimizer.schedule));
  if (training.early_stopping)
    result += section("early_stopping", fields_text(*training.early_stopping));
  if (training.checkpoint)
    result += section("checkpoint", fields_text(*training.checkpoint));
  if (training.plateau)
    result += section("plateau", fields_text(*training.plateau));
  if (training.epoch_rates)
    result += section("epoch_rates", fields_text(*training.epoch_rates));
  return result;
}

std::string parts_text(const std::vector<LayerPart> &parts, const std::string &indent) {
  std::string result;
  for (const LayerPart &part : parts) {
    result += fmt::format("{}part {} {} [{}]", indent, text(part.name), text(part.type),
                          ids_text(part.parameters));
    result += part.parts.empty()
                  ? "\n"
                  : fmt::format(" {{\n{}{}}}\n", parts_text(part.parts, indent + "  "), indent);
  }
  return result;
}

std::string layer_text(const LayerRecord &layer, Locations locations) {
  std::string inbound;
  for (const std::string &name : layer.inbound)
    inbound += (inbound.empty() ? "" : ", ") + text(name);
  return fmt::format("  layer {} {} {} [{}] [{}]{}\n{}", text(layer.name), text(layer.type),
                     id_text(layer.output), ids_text(layer.parameters), inbound,
                     locations == Locations::printed ? location_text(layer.location) : "",
                     parts_text(layer.parts, "    "));
}

std::string node_text(const Graph &graph, NodeId id) {
  const Node &node = graph[id];
  std::string line = fmt::format("{} = {}", id_text(id), name(node.kind));
  if (!node.inputs.empty())
    line += " " + ids_text(node.inputs);
  const std::string fields =
      std::visit([](const auto &attributes) { return fields_text(attributes); }, node.attrs);
  if (!fields.empty())
    line += " " + fields;
  line += " : " + node.type.str();
  if (!node.layer.empty())
    line += " @" + text(node.layer);
  return line;
}

std::string graph_text(const Graph &graph, Locations locations) {
  std::string result = "graph {\n";
  for (int i = 0; i < graph.size(); ++i)
    result += "  " +
              (locations == Locations::printed ? print_node(graph, {i}) : node_text(graph, {i})) +
              "\n";
  for (const Output &output : graph.outputs)
    result += fmt::format("  output {} {}\n", text(output.name), id_text(output.value));
  for (const Update &update : graph.updates)
    result += fmt::format("  update {} {}\n", id_text(update.parameter), id_text(update.value));
  return result + "}\n";
}

} // namespace

std::string print_node(const Graph &graph, NodeId id) {
  return node_text(graph, id) + location_text(graph[id].location);
}

std::string print(const Graph &graph) { return graph_text(graph, Locations::printed); }

std::string print(const Model &model, Locations locations) {
  std::string result = fmt::format("model {} {{\n", text(model.name));
  if (model.training)
    result += training_text(*model.training);
  if (model.data)
    result += data_text(*model.data);
  for (const LayerRecord &layer : model.layers)
    result += layer_text(layer, locations);
  return result + "}\n" + graph_text(model.graph, locations);
}

} // namespace sinter
