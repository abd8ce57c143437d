#include "backends/program/build.h"

#include <algorithm>
#include <array>

namespace sinter {

namespace {

// Prefixes whose functions exist already: timer_create and pthread_create are POSIX's, mtx_destroy
// is C11's, sinter_load is the runtime's (sinter_session is taken likewise). C's keywords need no
// place here: `double_infer` is legal.
constexpr std::array<const char *, 8> kTakenPrefixes = {"cnd", "halide", "mtx",  "pthread",
                                                        "sem", "sinter", "thrd", "timer"};

// Not isalpha: it depends on the locale.
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

} // namespace

std::string c_identifier(const std::string &text) {
  std::string result;
  for (const char c : text) {
    if (is_letter(c) || is_digit(c))
      result += c;
    else if (!result.empty() && result.back() != '_')
      result += '_'; // no leading and no double underscore: both are reserved
  }
  while (!result.empty() && result.back() == '_')
    result.pop_back();
  if (result.empty())
    return "model";
  if (is_digit(result.front()) || result.rfind("sinter_", 0) == 0)
    return "model_" + result;
  if (std::find(kTakenPrefixes.begin(), kTakenPrefixes.end(), result) != kTakenPrefixes.end())
    return result + "_model";
  return result;
}

} // namespace sinter
