// How deep a JSON text from a stranger is nested, found before it is parsed.
#pragma once

#include <string_view>

namespace sinter {

/// The most brackets and braces that are open at once, strings left out. To be asked in place of a
/// callback of nlohmann's parser: with one, an array takes time in the square of its containers.
int json_depth(std::string_view text);

} // namespace sinter
