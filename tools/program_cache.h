// The cache of the programs that run, train, evaluate, predict and bench build: one folder a
// program, CACHE/programs/KEY.
#pragma once

#include "frontend/load_model.h"
#include "tools/options.h"

#include <cstdint>
#include <string>

namespace sinter {

/// A name for what is built: another compiler, runtime, model, target, tuning or machine gives
/// another one, and so do other weights. The compiler is told by its own file, so that a new build
/// never meets an old program. Throws CompileError when there is no runtime to link with.
std::string program_key(const LoadedModel &, const BackendOptions &, const Tuning &);

/// Notes that the program in `folder` is used now, and removes those beside it that were used the
/// longest ago until all of them together take at most `most_bytes`. A cache that cannot be
/// written to is no error.
void keep_recent_programs(const std::string &folder, uintmax_t most_bytes = uintmax_t{1} << 30);

} // namespace sinter
