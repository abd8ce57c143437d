#include "frontend/keras_file/read_keras_file.h"

#include "frontend/archive.h"
#include "frontend/binary_file.h"
#include "frontend/file_data.h"
#include "frontend/json_text.h"
#include "frontend/keras_file/keras_weights.h"
#include "frontend/keras_file/model_importer.h"
#include "frontend/keras_file/training_config.h"
#include "frontend/parser.h"

#include <filesystem>
#include <map>

namespace sinter {

namespace {

using Json = nlohmann::json;

/// A saved model taken out of its container.
struct SavedModel {
  Json architecture; // {"class_name": ..., "config": ...}
  Json training;     // how it was compiled, or null
  std::optional<Hdf5Group> weights;
};

SavedModel read_h5(const SourceLocation &file) {
  SavedModel saved;
  saved.weights = read_hdf5(file);
  const std::string *architecture = saved.weights->text("model_config");
  if (!architecture)
    throw CompileError(file, "the file holds no model{}",
                       has_keras_weights(*saved.weights)
                           ? ", only weights: compile a model with --weights of it"
                           : "");
  saved.architecture = parse_json(*architecture, "model_config", file);
  if (const std::string *training = saved.weights->text("training_config"))
    saved.training = parse_json(*training, "training_config", file);
  return saved;
}

SavedModel read_archive(const SourceLocation &file) {
  Archive archive(file, ".keras archive");
  const auto config = archive.read("config.json");
  if (!config)
    throw CompileError(file, "the archive has no config.json: Keras did not write it");
  SavedModel saved;
  saved.architecture = parse_json(*config, "config.json", file);
  saved.training = member(saved.architecture, "compile_config");
  if (const auto weights = archive.read("model.weights.h5"))
    saved.weights = read_hdf5_image(*weights, file);
  return saved;
}

/// Keras 2's to_json() and Keras 3's; a .keras archive's config.json is one, too.
SavedModel read_json(const SourceLocation &file) {
  SavedModel saved;
  BinaryFile stream(file);
  require_json_size(stream.size(), "the file", file);
  saved.architecture = parse_json(stream.read(0, stream.size()), "the file", file);
  saved.training = member(saved.architecture, "compile_config");
  return saved;
}

/// By the path of the layer that they belong to.
using Parameters = std::map<std::string, std::vector<const ParameterAttrs *>>;

Parameters parameters_by_layer(const Graph &graph) {
  Parameters parameters;
  for (const NodeId id : graph.all(OpKind::parameter)) {
    const auto &parameter = attrs<ParameterAttrs>(graph[id]);
    parameters[parameter.name.substr(0, parameter.name.rfind('/'))].push_back(&parameter);
  }
  return parameters;
}

/// A layer with those of the program's parameters that are its own.
WantedLayer wanted_layer(const ImportedLayer &layer, const Parameters &parameters) {
  WantedLayer wanted{layer.name, layer.class_name, {}, {}};
  const auto take = [&](const std::vector<const ParameterAttrs *> &own) {
    wanted.parameters.insert(wanted.parameters.end(), own.begin(), own.end());
  };
  if (const auto own = parameters.find(layer.path); own != parameters.end())
    take(own->second);
  const std::string within = layer.path + '/'; // of a layer that is its activation
  if (layer.layers.empty() && !layer.path.empty())
    for (auto inner = parameters.lower_bound(within);
         inner != parameters.end() && inner->first.compare(0, within.size(), within) == 0; ++inner)
      take(inner->second);
  for (const ImportedLayer &each : layer.layers) {
    const WantedLayer &inner = wanted.layers.emplace_back(wanted_layer(each, parameters));
    wanted.parameters.insert(wanted.parameters.end(), inner.parameters.begin(),
                             inner.parameters.end());
  }
  return wanted;
}

} // namespace

bool is_keras_extension(const std::string &extension) {
  return extension == ".json" || is_keras_weights_extension(extension);
}

LoadedModel read_keras_file(const std::string &path, const LoadOptions &options,
                            Diagnostics &diagnostics) {
  const SourceLocation file{std::make_shared<const std::string>(path), 0, 0};
  require_regular_file(file);
  const std::string extension = std::filesystem::path(path).extension().string();
  SavedModel saved = extension == ".keras"  ? read_archive(file)
                     : extension == ".json" ? read_json(file)
                                            : read_h5(file);
  // The session of a script that does nothing: what a file builds is built as by a script.
  const std::unique_ptr<Script> script = parse_script(source_from_text(path, ""));
  Interpreter interpreter(*script, options, diagnostics);
  const ImportedModel imported = ModelImporter(interpreter, file).import(saved.architecture);
  ConfigReader reader(interpreter, file);
  compile_as_saved(*imported.model, saved.training, interpreter, reader, file);
  interpreter.keras().choose(*imported.model);
  LoadedModel loaded;
  loaded.model = finish_as_saved(*imported.model, interpreter, file, diagnostics);
  loaded.model.data = default_data(loaded.model);
  if (saved.weights)
    loaded.weights = find_keras_weights(
        std::move(*saved.weights),
        wanted_layer(imported.root, parameters_by_layer(loaded.model.graph)).layers, {}, file);
  return loaded;
}

} // namespace sinter
