// sinter convert and sinter export: weights from one file format into another.
#include "backends/onnx/onnx_file.h"
#include "frontend/ends_with.h"
#include "frontend/keras_file/write_keras_weights.h"
#include "frontend/weight_file.h"
#include "tools/command.h"
#include "tools/options.h"
#include "tools/output_file.h"
#include "tools/report_errors.h"
#include "tools/write_safetensors.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <ostream>

namespace sinter {

namespace {

struct ConvertOptions {
  std::string input;
  std::string output;
  std::string map;
  std::string model;
};

WeightNames names_of(const ConvertOptions &options) {
  return options.map.empty() ? WeightNames{} : read_weight_names(options.map);
}

LoadedModel load_named_model(const std::string &path, Tool &tool) {
  ModelOptions options;
  options.path = path;
  return load_model_and_warn(options, tool);
}

/// The arrays as the file has them, those that the map names renamed.
NamedWeights renamed_weights(const ConvertOptions &options) {
  std::map<std::string, std::string> renamed;
  for (const auto &[model_name, file_name] : names_of(options))
    renamed[file_name] = model_name;
  const SourceLocation file{std::make_shared<const std::string>(options.input), 0, 0};
  NamedWeights weights;
  for (NamedArray &array : read_weight_arrays(options.input)) {
    if (!array.problem.empty())
      throw CompileError(file, "{}: {}", array.name, array.problem);
    const auto name = renamed.find(array.name);
    weights.emplace_back(name == renamed.end() ? array.name : name->second, std::move(array.array));
  }
  return weights;
}

/// In the model's names, layout and order.
NamedWeights model_weights(const ConvertOptions &options, Tool &tool) {
  const Model model = load_named_model(options.model, tool).model;
  std::map<std::string, WeightArray> found = load_weights(options.input, model, names_of(options));
  NamedWeights weights;
  for (const NodeId id : model.graph.all(OpKind::parameter)) {
    const std::string &name = attrs<ParameterAttrs>(model.graph[id]).name;
    if (const auto array = found.find(name); array != found.end())
      weights.emplace_back(name, std::move(array->second));
  }
  return weights;
}

int run_convert(const ConvertOptions &options, Tool &tool) {
  write_file(options.output,
             safetensors_bytes(options.model.empty() ? renamed_weights(options)
                                                     : model_weights(options, tool)));
  return kExitOk;
}

/// Layers in the order in which their weights lie in the file, by the names' folders.
std::vector<KerasLayerWeights> layers_by_name(const ConvertOptions &options) {
  std::vector<KerasLayerWeights> layers;
  for (NamedArray &array : read_weight_arrays(options.input)) {
    const size_t slash = array.name.rfind('/');
    const std::string layer = slash == std::string::npos ? array.name : array.name.substr(0, slash);
    if (layers.empty() || layers.back().name != layer)
      layers.push_back({layer, "", {}, {}});
    layers.back().arrays.emplace_back(array.name, std::move(array.array));
  }
  return layers;
}

using NamedWeightArrays = std::vector<std::pair<std::string, WeightArray>>;

/// In the order in which Keras lists a layer's weights: what is trained first.
NamedWeightArrays arrays_in_order(const LoadedModel &loaded, const std::vector<NodeId> &ids) {
  std::vector<const ParameterAttrs *> parameters;
  for (const NodeId id : ids)
    parameters.push_back(&attrs<ParameterAttrs>(loaded.model.graph[id]));
  std::stable_partition(parameters.begin(), parameters.end(), [](const ParameterAttrs *parameter) {
    return parameter->role != "statistic";
  });
  NamedWeightArrays arrays;
  for (const ParameterAttrs *parameter : parameters)
    arrays.emplace_back(parameter->name, loaded.weights.at(parameter->name));
  return arrays;
}

size_t count_parameters(const std::vector<LayerPart> &parts) {
  size_t count = 0;
  for (const LayerPart &part : parts)
    count += part.parameters.size() + count_parameters(part.parts);
  return count;
}

/// Whether parameters were made by layers within the layer, other than those of its parts.
bool holds_others(const Graph &graph, const std::string &name,
                  const std::vector<NodeId> &parameters, const std::vector<LayerPart> &parts) {
  if (!parts.empty())
    return !parameters.empty() && parameters.size() != count_parameters(parts);
  return std::any_of(parameters.begin(), parameters.end(),
                     [&](NodeId id) { return graph[id].layer != name; });
}

std::vector<KerasLayerWeights> layers_of_parts(const LoadedModel &loaded,
                                               const std::vector<LayerPart> &parts) {
  std::vector<KerasLayerWeights> layers;
  for (const LayerPart &part : parts)
    layers.push_back({part.name, part.type, arrays_in_order(loaded, part.parameters),
                      layers_of_parts(loaded, part.parts),
                      holds_others(loaded.model.graph, part.name, part.parameters, part.parts)});
  return layers;
}

std::vector<KerasLayerWeights> layers_of_model(const LoadedModel &loaded) {
  std::vector<KerasLayerWeights> layers;
  for (const LayerRecord &record : loaded.model.layers)
    layers.push_back(
        {record.name, record.type, arrays_in_order(loaded, record.parameters),
         layers_of_parts(loaded, record.parts),
         holds_others(loaded.model.graph, record.name, record.parameters, record.parts)});
  return layers;
}

/// Files of these kinds are models with their weights; what a program writes is one, too.
bool holds_model(const std::string &path) {
  return ends_with(path, ".keras") || ends_with(path, ".onnx") ||
         (ends_with(path, ".safetensors") &&
          safetensors_model({std::make_shared<const std::string>(path), 0, 0}).has_value());
}

/// A saved model may lie in its file alone.
void require_weights(const LoadedModel &loaded, const std::string &path) {
  for (const NodeId id : loaded.model.graph.all(OpKind::parameter))
    if (const std::string &name = attrs<ParameterAttrs>(loaded.model.graph[id]).name;
        loaded.weights.count(name) == 0)
      throw CompileError({},
                         "{} holds a model, but no weights for {}: export a file of those with "
                         "--model={}",
                         path, name, path);
}

/// The model with the weights to write: the one that is named, or that the file itself holds.
std::optional<LoadedModel> exported_model(const ConvertOptions &options, Tool &tool) {
  if (options.model.empty() && !holds_model(options.input))
    return std::nullopt;
  if (options.model.empty()) {
    LoadedModel loaded = load_named_model(options.input, tool);
    require_weights(loaded, options.input);
    return loaded;
  }
  LoadedModel loaded = load_named_model(options.model, tool);
  loaded.weights = load_weights(options.input, loaded.model, names_of(options));
  return loaded;
}

LoadedModel needed_model(const ConvertOptions &options, Tool &tool, const char *reason) {
  std::optional<LoadedModel> loaded = exported_model(options, tool);
  if (!loaded)
    throw CompileError({}, "{} holds weights alone: --model=MODEL says {}", options.input, reason);
  return std::move(*loaded);
}

std::string exported_h5(const ConvertOptions &options, Tool &tool) {
  const std::optional<LoadedModel> loaded = exported_model(options, tool);
  return keras_weights_file(loaded ? layers_of_model(*loaded) : layers_by_name(options));
}

std::string exported_keras3(const ConvertOptions &options, Tool &tool) {
  return keras3_weights_file(
      layers_of_model(needed_model(options, tool, "of which classes its layers are")));
}

std::string exported_onnx(const ConvertOptions &options, Tool &tool) {
  const LoadedModel loaded = needed_model(options, tool, "what is computed with them");
  return onnx_file(loaded.model, [&](const std::string &name) -> const std::vector<float> & {
    return loaded.weights.at(name).values;
  });
}

/// Keras 3 tells its own form of weights by the name's end.
int run_export(const ConvertOptions &options, Tool &tool) {
  if (ends_with(options.output, ".onnx"))
    write_file(options.output, exported_onnx(options, tool));
  else if (ends_with(options.output, ".weights.h5"))
    write_file(options.output, exported_keras3(options, tool));
  else
    write_file(options.output, exported_h5(options, tool));
  return kExitOk;
}

void add_options(CLI::App &command, ConvertOptions &options, const char *output,
                 const std::vector<std::string> &endings) {
  command.add_option("WEIGHTS", options.input, "Any file of weights")->required();
  command.add_option("-o,--output", options.output, output)
      ->required()
      ->check(must_end_in(endings));
  command.add_option("--map", options.map, "File of lines model_name = file_name");
  command.add_option("--model", options.model,
                     "The model that they are for: its names and layout are written");
}

} // namespace

void add_convert_commands(CLI::App &app, Tool &tool) {
  CLI::App *convert = app.add_subcommand("convert", "Turn any file of weights into .safetensors");
  auto convert_options = std::make_shared<ConvertOptions>();
  add_options(*convert, *convert_options, "OUT.safetensors; for .h5 and .onnx see sinter export",
              {".safetensors"});
  set_action(*convert, tool, convert_options, run_convert);
  CLI::App *exported =
      app.add_subcommand("export", "Write a trained program's weights for other tools");
  auto export_options = std::make_shared<ConvertOptions>();
  add_options(*exported, *export_options,
              "OUT.onnx; OUT.h5 and OUT.weights.h5, as Keras 2 and 3 write them", {".onnx", ".h5"});
  set_action(*exported, tool, export_options, run_export);
}

} // namespace sinter
