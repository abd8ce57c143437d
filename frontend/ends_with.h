// What std::string_view has since C++20.
#pragma once

#include <string_view>

namespace sinter {

constexpr bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

} // namespace sinter
