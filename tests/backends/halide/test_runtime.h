// Settings and findings of the runtime under kernels under test.
#pragma once

#include <string>

namespace sinter {

extern int test_threads;         // that a parallel loop runs on
extern std::string test_failure; // the last failed check of a kernel, or ""

} // namespace sinter
