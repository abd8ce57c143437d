// Runs a reader in a process of its own and measures it: what hostile files may cost is bounded.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace sinter {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kSanitized = true; // several times slower, and reserves more than any limit
#else
constexpr bool kSanitized = false;
#endif

constexpr double kMostSeconds = kSanitized ? 100 : 10;
constexpr int64_t kMostBytes = int64_t{2} << 30U;

struct Outcome {
  bool ended = false; // by itself: no crash, nothing but a CompileError thrown, within the limits
  std::string error;  // the reader's; "" when it found nothing wrong
  double seconds = 0; // of the processor: other tests run at the same time
  int64_t bytes = 0;  // most memory that it had at a time
};

/// `read` returns the text of its error, or "".
Outcome run_limited(const std::function<std::string()> &read);

/// Reads the file at `path` as its extension tells, model or weights or a program's data.
std::string read_any(const std::string &path);

} // namespace sinter
