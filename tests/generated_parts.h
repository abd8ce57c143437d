// Documents with parts that are made from the program's own tables.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace sinter {

/// Checks that between `<!-- generated: NAME -->` and the next `<!-- end -->` the document at
/// `path` (below the source tree) holds the text given for each NAME. UPDATE_GOLDENS=1 writes it
/// there.
void check_generated_parts(const std::string &path,
                           const std::vector<std::pair<std::string, std::string>> &texts);

} // namespace sinter
