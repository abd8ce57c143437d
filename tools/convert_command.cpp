// sinter convert and sinter export: weights from one file format into another.
#include "frontend/keras_file/write_keras_weights.h"
#include "frontend/weight_file.h"
#include "tools/command.h"
#include "tools/options.h"
#include "tools/output_file.h"
#include "tools/report_errors.h"
#include "tools/write_safetensors.h"

#include <filesystem>
#include <memory>
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

bool ends_with(const std::string &text, const std::string &end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

int run_convert(const ConvertOptions &options, Tool &tool) {
  if (!ends_with(options.output, ".safetensors"))
    throw CompileError({}, "{}: convert writes .safetensors; for .h5 and .onnx see sinter export",
                       options.output);
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
      layers.push_back({layer, {}});
    layers.back().arrays.emplace_back(array.name, std::move(array.array));
  }
  return layers;
}

std::vector<KerasLayerWeights> layers_of_model(const Model &model,
                                               std::map<std::string, WeightArray> weights) {
  std::vector<KerasLayerWeights> layers;
  for (const LayerRecord &record : model.layers) {
    KerasLayerWeights &layer = layers.emplace_back();
    layer.name = record.name;
    for (const NodeId id : record.parameters) {
      const std::string &name = attrs<ParameterAttrs>(model.graph[id]).name;
      layer.arrays.emplace_back(name, std::move(weights[name]));
    }
  }
  return layers;
}

int run_export(const ConvertOptions &options, Tool &tool) {
  if (!ends_with(options.output, ".h5"))
    throw CompileError({}, "{}: export writes .h5", options.output);
  std::vector<KerasLayerWeights> layers;
  if (options.model.empty()) {
    layers = layers_by_name(options);
  } else {
    const Model model = load_named_model(options.model, tool).model;
    layers = layers_of_model(model, load_weights(options.input, model, names_of(options)));
  }
  write_file(options.output, keras_weights_file(layers));
  return kExitOk;
}

void add_options(CLI::App &command, ConvertOptions &options, const char *output) {
  command.add_option("WEIGHTS", options.input, "Any file of weights")->required();
  command.add_option("-o,--output", options.output, output)->required();
  command.add_option("--map", options.map, "File of lines model_name = file_name");
  command.add_option("--model", options.model,
                     "The model that they are for: its names and layout are written");
}

} // namespace

void add_convert_commands(CLI::App &app, Tool &tool) {
  CLI::App *convert = app.add_subcommand("convert", "Turn any file of weights into .safetensors");
  auto convert_options = std::make_shared<ConvertOptions>();
  add_options(*convert, *convert_options, "OUT.safetensors");
  set_action(*convert, tool, convert_options, run_convert);
  CLI::App *exported =
      app.add_subcommand("export", "Write a trained program's weights for other tools");
  auto export_options = std::make_shared<ConvertOptions>();
  add_options(*exported, *export_options, "OUT.h5, as Keras reads it");
  set_action(*exported, tool, export_options, run_export);
}

} // namespace sinter
