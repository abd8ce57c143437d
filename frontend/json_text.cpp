#include "frontend/json_text.h"

#include "ir/diagnostics.h"
#include "ir/json_depth.h"

namespace sinter {

namespace {

using Json = nlohmann::json;

constexpr int kMaxDepth = 200;
constexpr uint64_t kMaxBytes = uint64_t{32} << 20U; // parsed, up to a gigabyte

} // namespace

void require_json_size(uint64_t bytes, const std::string &what, const SourceLocation &file) {
  if (bytes > kMaxBytes)
    throw CompileError(file, "{} has {} bytes, more than {}", what, bytes, kMaxBytes);
}

Json parse_json(const std::string &text, const std::string &what, const SourceLocation &file) {
  require_json_size(text.size(), what, file);
  if (json_depth(text) > kMaxDepth)
    throw CompileError(file, "{} is nested deeper than {} levels", what, kMaxDepth);
  Json json = Json::parse(text, /*cb=*/nullptr, /*allow_exceptions=*/false);
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

std::optional<int64_t> integer(const Json &value) {
  const bool large = value.is_number_unsigned() && value.get<uint64_t>() > INT64_MAX;
  return value.is_number_integer() && !large ? std::optional(value.get<int64_t>()) : std::nullopt;
}

} // namespace sinter
