// Runs another program (cc, objcopy) and keeps what it prints.
#pragma once

#include <string>
#include <vector>

namespace sinter {

/// Runs `command` (its first word is looked up on PATH) to its end. Throws CompileError with
/// everything that it printed when it fails, or saying that `purpose` needs it when there is none.
void run_tool(const std::vector<std::string> &command, const std::string &purpose);

} // namespace sinter
