#include "tests/frontend/support.h"

#include "tests/paths.h"

#include <doctest/doctest.h>
#include <fstream>
#include <sstream>

namespace sinter {

std::string read_file(const std::string &path) {
  std::ifstream stream(path, std::ios::binary);
  REQUIRE_MESSAGE(stream.good(), path);
  std::stringstream text;
  text << stream.rdbuf();
  return text.str();
}

std::string write_file(const std::string &name, const std::string &bytes) {
  std::string path = build_path(name);
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

Model load(const std::string &text, Diagnostics &diagnostics) {
  LoadOptions options;
  options.max_steps = 100'000;
  return load_script("script.py", text, options, diagnostics);
}

Model load(const std::string &text) {
  Diagnostics diagnostics;
  return load(text, diagnostics);
}

std::string error_of(const std::string &text) {
  try {
    load(text);
    return "";
  } catch (const CompileError &error) {
    return fmt::format("{}: {}", error.location().line, error.text());
  }
}

std::vector<std::string> layer_names(const Model &model) {
  std::vector<std::string> names;
  for (const LayerRecord &layer : model.layers)
    names.push_back(layer.name);
  return names;
}

int64_t parameter_count(const Model &model) {
  int64_t count = 0;
  for (const NodeId id : model.graph.all(OpKind::parameter))
    count += model.graph.type(id).elements();
  return count;
}

std::string output_shape(const Model &model, const std::string &layer) {
  for (const LayerRecord &record : model.layers)
    if (record.name == layer)
      return str(model.graph.type(record.output).shape);
  return "no layer " + layer;
}

const ParameterAttrs &parameter(const Model &model, const std::string &name) {
  const NodeId id = model.graph.find_parameter(name);
  REQUIRE_MESSAGE(id.valid(), name);
  return attrs<ParameterAttrs>(model.graph[id]);
}

} // namespace sinter
