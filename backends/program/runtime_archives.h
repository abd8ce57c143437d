// Where the runtime lies that generated programs are linked with.
#pragma once

#include <string>

namespace sinter {

/// The path of libNAME.a ("sinter_core", "sinter_program"): in the folder $SINTER_RUNTIME when that
/// is set, else in ../lib/sinter (installed) or ../lib (the build tree) of the running executable's
/// folder. Throws CompileError, naming the places, when there is none.
std::string runtime_archive(const std::string &name);

} // namespace sinter
