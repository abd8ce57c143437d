#include "tests/hostile/limited_run.h"

#include "frontend/load_model.h"
#include "frontend/weight_file.h"
#include "ir/diagnostics.h"

extern "C" {
#include "runtime/array.h"
#include "runtime/image.h"
#include "runtime/sinter_runtime.h"
}

#include <cstdio>
#include <filesystem>
#include <set>
#include <stdexcept>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sinter {

namespace {

[[noreturn]] void run_child(const std::function<std::string()> &read, int to) {
  const rlimit memory{static_cast<rlim_t>(kMostBytes), static_cast<rlim_t>(kMostBytes)};
  if (!kSanitized)
    ::setrlimit(RLIMIT_DATA, &memory);
  constexpr auto kSeconds = static_cast<rlim_t>(kMostSeconds);
  const rlimit time{kSeconds, kSeconds};
  ::setrlimit(RLIMIT_CPU, &time);
  ::alarm(10 * kSeconds); // one that waits for ever; like the limit, its signal kills
  std::string error;
  int code = 0;
  try {
    error = read();
  } catch (const std::exception &escaped) {
    error = escaped.what();
    code = 1;
  }
  error.resize(std::min<size_t>(error.size(), 4000)); // fits into the pipe
  const ssize_t written = ::write(to, error.data(), error.size());
  ::_exit(written < 0 ? 1 : code);
}

double seconds_of(const timeval &time) {
  return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

/// The programs' readers return a status.
template <typename T>
std::string read_with(int (*read)(const char *, T *), void (*release)(T *),
                      const std::string &path) {
  T value;
  if (read(path.c_str(), &value) != SINTER_OK)
    return sinter_last_error();
  release(&value);
  return "";
}

} // namespace

Outcome run_limited(const std::function<std::string()> &read) {
  int ends[2];
  if (::pipe(ends) != 0)
    throw std::runtime_error("pipe failed");
  const pid_t child = ::fork();
  if (child == 0)
    run_child(read, ends[1]);
  ::close(ends[1]);
  Outcome outcome;
  char chunk[1024];
  for (ssize_t got = 0; (got = ::read(ends[0], chunk, sizeof chunk)) > 0;)
    outcome.error.append(chunk, static_cast<size_t>(got));
  ::close(ends[0]);
  int status = 0;
  rusage usage{};
  ::wait4(child, &status, 0, &usage);
  outcome.seconds = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
  outcome.bytes = int64_t{usage.ru_maxrss} * 1024;
  const bool small = kSanitized || outcome.bytes < kMostBytes;
  outcome.ended = WIFEXITED(status) && WEXITSTATUS(status) == 0 && small;
  return outcome;
}

std::string read_any(const std::string &path) {
  static const std::set<std::string> models = {".py", ".sir", ".onnx", ".json", ".keras", ".h5"};
  const std::string extension = std::filesystem::path(path).extension().string();
  if (extension == ".npy")
    return read_with(sinter_read_npy, sinter_array_release, path);
  if (extension == ".idx" || extension == ".gz")
    return read_with(sinter_read_idx, sinter_array_release, path);
  if (extension == ".png" || extension == ".jpg")
    return read_with(sinter_image_read, sinter_image_release, path);
  try {
    Diagnostics diagnostics;
    if (models.count(extension) > 0)
      load_model(path, {}, diagnostics);
    else
      read_weight_arrays(path);
  } catch (const CompileError &error) {
    return error.what();
  }
  return "";
}

} // namespace sinter
