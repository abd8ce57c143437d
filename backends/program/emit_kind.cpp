#include "backends/program/build.h"

#include <array>

namespace sinter {

namespace {
constexpr std::array<Emit, 7> kAll = {Emit::exe,    Emit::lib,  Emit::shared,  Emit::obj,
                                      Emit::header, Emit::llvm, Emit::assembly};
}

const char *name(Emit kind) {
  switch (kind) {
  case Emit::exe:
    return "exe";
  case Emit::lib:
    return "lib";
  case Emit::shared:
    return "shared";
  case Emit::obj:
    return "obj";
  case Emit::header:
    return "header";
  case Emit::llvm:
    return "llvm";
  case Emit::assembly:
    return "asm";
  }
  SINTER_UNREACHABLE("emit kind {}", static_cast<int>(kind));
}

std::optional<Emit> parse_emit(const std::string &text) {
  for (const Emit kind : kAll)
    if (text == name(kind))
      return kind;
  return std::nullopt;
}

} // namespace sinter
