// JSON from strangers.
#pragma once

#include "ir/source_location.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace sinter {

/// Parses `text`; `what` names it in errors. Its depth and size are bounded.
nlohmann::json parse_json(const std::string &text, const std::string &what, const SourceLocation &);
/// Throws when so many bytes are more than parse_json takes: a question for before they are read.
void require_json_size(uint64_t bytes, const std::string &what, const SourceLocation &);

/// object[key], or null when there is none.
const nlohmann::json &member(const nlohmann::json &object, const char *key);
/// object[key] when it is a string, else "".
std::string text_member(const nlohmann::json &object, const char *key);
/// An integer; nothing where 64 bits with a sign do not hold it.
std::optional<int64_t> integer(const nlohmann::json &);

} // namespace sinter
