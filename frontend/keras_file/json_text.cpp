#include "frontend/keras_file/json_text.h"

#include "ir/diagnostics.h"

namespace sinter {

namespace {

using Json = nlohmann::json;

constexpr int kMaxDepth = 200;
constexpr size_t kMaxBytes = size_t{32} << 20U;

} // namespace

Json parse_json(const std::string &text, const std::string &what, const SourceLocation &file) {
  if (text.size() > kMaxBytes)
    throw CompileError(file, "{} has {} bytes, more than {}", what, text.size(), kMaxBytes);
  int depth = 0;
  const auto watch = [&](int at, Json::parse_event_t, Json &) {
    depth = std::max(depth, at);
    return at <= kMaxDepth;
  };
  Json json = Json::parse(text, watch, /*allow_exceptions=*/false);
  if (depth > kMaxDepth)
    throw CompileError(file, "{} is nested deeper than {} levels", what, kMaxDepth);
  if (json.is_discarded())
    throw CompileError(file, "{} is no JSON, or it is truncated", what);
  return json;
}

const Json &member(const Json &object, const char *key) {
  static const Json none;
  if (!object.is_object())
    return none;
  const auto found = object.find(key);
  return found == object.end() ? none : *found;
}

std::string text_member(const Json &object, const char *key) {
  const Json &value = member(object, key);
  return value.is_string() ? value.get<std::string>() : "";
}

} // namespace sinter
