#include "backends/program/build.h"

#include <algorithm>
#include <array>

namespace sinter {

namespace {

// Prefixes whose functions exist already (timer_create is POSIX's, mtx_destroy C11's, epoll_create
// Linux's, argz_create glibc's), or whose macros do: X_OK is <unistd.h>'s. C's keywords need no
// place here: `double_infer` is legal.
constexpr std::array<const char *, 18> kTakenPrefixes = {
    "R", "W",   "X",      "argz", "cnd",   "epoll",   "memfd", "mtx", "pthread",
    "r", "sem", "sinter", "thrd", "timer", "timerfd", "tss",   "w",   "x"};

// And those that begin so: pthread_mutex_destroy, posix_spawnattr_destroy; sinter_load is the
// runtime's, and so is what begins with sinter_session.
constexpr std::array<const char *, 3> kTakenFamilies = {"posix_", "pthread_", "sinter_"};

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
  const auto begins_result = [&](const char *family) { return result.rfind(family, 0) == 0; };
  if (is_digit(result.front()) ||
      std::any_of(kTakenFamilies.begin(), kTakenFamilies.end(), begins_result))
    return "model_" + result;
  if (std::find(kTakenPrefixes.begin(), kTakenPrefixes.end(), result) != kTakenPrefixes.end())
    return result + "_model";
  return result;
}

} // namespace sinter
