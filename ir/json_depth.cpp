#include "ir/json_depth.h"

#include <algorithm>

namespace sinter {

int json_depth(std::string_view text) {
  int depth = 0, most = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string && c == '\\')
      ++i;
    else if (c == '"')
      in_string = !in_string;
    else if (!in_string && (c == '[' || c == '{'))
      most = std::max(most, ++depth);
    else if (!in_string && (c == ']' || c == '}'))
      depth = std::max(depth - 1, 0); // text that is no JSON
  }
  return most;
}

} // namespace sinter
