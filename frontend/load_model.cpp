#include "frontend/load_model.h"

#include "frontend/interpreter.h"
#include "frontend/keras_file/read_keras_file.h"
#include "frontend/keras_session.h"
#include "frontend/onnx/load_onnx.h"
#include "frontend/parser.h"
#include "frontend/weight_file.h"
#include "ir/parse.h"

#include <filesystem>

namespace sinter {

namespace {

Model load_script(SourceFile file, const LoadOptions &options, Diagnostics &diagnostics) {
  const std::unique_ptr<Script> script = parse_script(std::move(file));
  Interpreter interpreter(*script, options, diagnostics);
  interpreter.run();
  return finish_model(interpreter, {script->file.name, 0, 0}, diagnostics);
}

/// What a program writes holds its model, too.
LoadedModel load_checkpoint(const std::string &path) {
  const SourceLocation file{std::make_shared<const std::string>(path), 0, 0};
  const std::optional<std::string> text = safetensors_model(file);
  if (!text)
    throw CompileError(file, "the file holds weights and no model, as no program of Sinter wrote "
                             "it: compile a model with --weights of it");
  constexpr size_t kLongestText = size_t{4} << 20U; // programs keep none that is longer
  if (text->size() > kLongestText)
    throw CompileError(file, "the model beside the weights has {} bytes, more than the {} of any",
                       text->size(), kLongestText);
  LoadedModel loaded{parse_model(*text, path), {}};
  loaded.weights = load_weights(path, loaded.model);
  return loaded;
}

} // namespace

Model load_script(const std::string &name, const std::string &text, const LoadOptions &options,
                  Diagnostics &diagnostics) {
  return load_script(source_from_text(name, text), options, diagnostics);
}

LoadedModel load_model(const std::string &path, const LoadOptions &options,
                       Diagnostics &diagnostics) {
  const std::string extension = std::filesystem::path(path).extension().string();
  if (extension == ".onnx")
    return load_onnx(path, options, diagnostics);
  if (is_keras_extension(extension))
    return read_keras_file(path, options, diagnostics);
  if (extension == ".safetensors")
    return load_checkpoint(path);
  if (extension != ".py" && extension != ".sir")
    throw CompileError({std::make_shared<const std::string>(path), 0, 0},
                       "unknown kind of model file '{}': .py (a model script), .keras, .h5 and "
                       ".json (saved Keras models), .onnx, .sir (the IR's text form) and "
                       ".safetensors (of a program) are supported",
                       extension);
  SourceFile file = read_source_file(path);
  if (extension == ".sir")
    return {parse_model(file.text, path), {}};
  return {load_script(std::move(file), options, diagnostics), {}};
}

} // namespace sinter
