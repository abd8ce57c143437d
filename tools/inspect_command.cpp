// sinter inspect: what a file holds, model or weights.
#include "frontend/weight_file.h"
#include "ir/print.h"
#include "tools/command.h"
#include "tools/json_text.h"
#include "tools/options.h"
#include "tools/report_errors.h"
#include "tools/text_table.h"

#include <filesystem>
#include <fmt/ostream.h>
#include <optional>
#include <ostream>
#include <set>

namespace sinter {

namespace {

struct InspectOptions {
  std::string path;
  bool json = false;
};

/// A file may hold a model, weights or both.
struct Contents {
  std::optional<LoadedModel> model;
  std::string model_problem; // why the model that it seems to hold cannot be used
  std::vector<NamedArray> arrays;
};

/// Which of the two an extension stands for; .safetensors holds a model when a program wrote it.
bool may_hold_model(const std::string &path, const std::string &extension) {
  static const std::set<std::string> kinds = {".py",   ".sir",   ".json", ".h5",
                                              ".hdf5", ".keras", ".onnx"};
  return kinds.count(extension) > 0 ||
         (extension == ".safetensors" &&
          safetensors_model({std::make_shared<const std::string>(path), 0, 0}).has_value());
}
bool may_hold_weights(const std::string &path, const std::string &extension) {
  static const std::set<std::string> both = {".h5", ".hdf5", ".keras", ".safetensors"};
  return !may_hold_model(path, extension) || both.count(extension) > 0;
}

Contents read_contents(const std::string &path, Diagnostics &diagnostics) {
  const std::string extension = std::filesystem::path(path).extension().string();
  Contents contents;
  if (may_hold_weights(path, extension)) {
    contents.arrays = read_weight_arrays(path);
    if (!may_hold_model(path, extension))
      return contents;
  }
  try {
    contents.model = load_model(path, {}, diagnostics);
  } catch (const CompileError &error) {
    if (contents.arrays.empty())
      throw;
    contents.model_problem = error.text();
  }
  return contents;
}

/// The weights of a model whose file keeps them in a form of its own.
std::vector<NamedArray> model_arrays(const LoadedModel &loaded) {
  std::vector<NamedArray> arrays;
  for (const auto &[name, array] : loaded.weights)
    arrays.push_back({name, "f32", array, ""});
  return arrays;
}

int64_t element_count(const Shape &shape) { return extent_product(shape).value_or(0); }

int64_t layer_parameters(const Model &model, const LayerRecord &layer) {
  int64_t count = 0;
  for (const NodeId id : layer.parameters)
    count += model.graph.type(id).elements();
  return count;
}

std::string model_text(const Model &model) {
  TextTable table(
      {{"Layer (type)", Align::left}, {"Output", Align::left}, {"Params", Align::right}});
  for (const LayerRecord &layer : model.layers)
    table.add_row({fmt::format("{} ({})", layer.name, layer.type),
                   layer.output.valid() ? str(model.graph.type(layer.output).shape) : "",
                   fmt::format("{}", layer_parameters(model, layer))});
  std::string text = fmt::format("model '{}'\n", model.name);
  for (const NodeId id : model.graph.all(OpKind::input)) {
    const InputAttrs &input = attrs<InputAttrs>(model.graph[id]);
    if (input.role == "data")
      text += fmt::format("input {} {}\n", input.name, input.type.str());
  }
  for (const Output &output : model.graph.outputs)
    text += fmt::format("output {} {}\n", output.name, model.graph.type(output.value).str());
  if (model.training)
    text += fmt::format("compiled with {}, learning rate {}\n", model.training->optimizer.kind,
                        model.training->optimizer.learning_rate);
  return model.layers.empty() ? text : text + table.str();
}

std::string arrays_text(const std::vector<NamedArray> &arrays) {
  TextTable table({{"Array", Align::left},
                   {"Type", Align::left},
                   {"Shape", Align::left},
                   {"Elements", Align::right},
                   {"", Align::left}});
  int64_t total = 0;
  for (const NamedArray &array : arrays) {
    total += element_count(array.array.shape);
    table.add_row({array.name, array.type, str(array.array.shape),
                   fmt::format("{}", element_count(array.array.shape)), array.problem});
  }
  return table.str() + fmt::format("{} arrays, {} elements\n", arrays.size(), total);
}

nlohmann::ordered_json model_json(const Model &model) {
  nlohmann::ordered_json layers = nlohmann::ordered_json::array();
  for (const LayerRecord &layer : model.layers)
    layers.push_back(
        {{"name", layer.name},
         {"type", layer.type},
         {"output_shape",
          layer.output.valid() ? str(model.graph.type(layer.output).shape) : std::string()},
         {"params", layer_parameters(model, layer)}});
  nlohmann::ordered_json outputs = nlohmann::ordered_json::array();
  for (const Output &output : model.graph.outputs)
    outputs.push_back({{"name", output.name}, {"type", model.graph.type(output.value).str()}});
  return {{"name", model.name}, {"outputs", outputs}, {"layers", layers}};
}

nlohmann::ordered_json arrays_json(const std::vector<NamedArray> &arrays) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const NamedArray &array : arrays)
    list.push_back({{"name", array.name},
                    {"type", array.type},
                    {"shape", array.array.shape},
                    {"problem", array.problem}});
  return list;
}

int run_inspect(const InspectOptions &options, Tool &tool) {
  const Contents contents = read_contents(options.path, tool.diagnostics);
  const std::vector<NamedArray> arrays =
      contents.arrays.empty() && contents.model ? model_arrays(*contents.model) : contents.arrays;
  if (options.json) {
    nlohmann::ordered_json json = {{"file", options.path}};
    json["model"] = contents.model ? model_json(contents.model->model) : nullptr;
    json["problem"] = contents.model_problem;
    json["arrays"] = arrays_json(arrays);
    tool.out << json_text(json) << "\n";
    return kExitOk;
  }
  if (contents.model)
    tool.out << model_text(contents.model->model);
  else if (!contents.model_problem.empty())
    tool.out << "no model that can be compiled: " << contents.model_problem << "\n";
  if (!arrays.empty())
    tool.out << arrays_text(arrays);
  return kExitOk;
}

} // namespace

void add_inspect_command(CLI::App &app, Tool &tool) {
  CLI::App *command = app.add_subcommand(
      "inspect", "List the layers and arrays that a model or weights file holds");
  auto options = std::make_shared<InspectOptions>();
  command->add_option("FILE", options->path, "Any model or weights file")->required();
  command->add_flag("--json", options->json, "As JSON");
  set_action(*command, tool, options, run_inspect);
}

} // namespace sinter
