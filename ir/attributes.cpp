#include "ir/attributes.h"

namespace sinter {

bool operator==(const Attrs &a, const Attrs &b) {
  if (a.index() != b.index())
    return false;
  return std::visit(
      [&](const auto &left) {
        using A = std::decay_t<decltype(left)>;
        return equal_fields(left, std::get<A>(b));
      },
      a);
}

} // namespace sinter
