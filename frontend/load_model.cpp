#include "frontend/load_model.h"

#include "frontend/interpreter.h"
#include "frontend/keras_file/read_keras_file.h"
#include "frontend/keras_session.h"
#include "frontend/onnx/load_onnx.h"
#include "frontend/parser.h"
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
  if (extension != ".py" && extension != ".sir")
    throw CompileError({std::make_shared<const std::string>(path), 0, 0},
                       "unknown kind of model file '{}': .py (a model script), .keras, .h5 and "
                       ".json (saved Keras models), .onnx and .sir (the IR's text form) are "
                       "supported",
                       extension);
  SourceFile file = read_source_file(path);
  if (extension == ".sir")
    return {parse_model(file.text, path), {}};
  return {load_script(std::move(file), options, diagnostics), {}};
}

} // namespace sinter
