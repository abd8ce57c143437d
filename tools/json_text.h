// JSON as the tool prints it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace sinter {

/// Indented by two. Names come from files in any encoding, and JSON is UTF-8: what is no UTF-8
/// becomes U+FFFD.
std::string json_text(const nlohmann::ordered_json &);

} // namespace sinter
