#include "tests/paths.h"

namespace sinter {

std::string source_path(const std::string &relative) { return SINTER_SOURCE_DIR "/" + relative; }

std::string build_path(const std::string &relative) { return SINTER_BINARY_DIR "/" + relative; }

} // namespace sinter
