#include "tools/weights_argument.h"

#include "frontend/weights.h"
#include "ir/diagnostics.h"
#include "tools/write_safetensors.h"

#include <cerrno>
#include <cstring>
#include <sys/mman.h>
#include <unistd.h>

namespace sinter {

namespace {

void write_all(int file, const char *bytes, size_t count) {
  while (count > 0) {
    const ssize_t written = ::write(file, bytes, count);
    if (written < 0 && errno != EINTR)
      throw CompileError({}, "cannot convert the weights: {}", std::strerror(errno));
    if (written > 0) {
      bytes += written;
      count -= static_cast<size_t>(written);
    }
  }
}

std::string anonymous_safetensors(const std::string &path, const Model &model,
                                  const WeightNames &names) {
  const std::map<std::string, WeightArray> weights = load_weights(path, model, names);
  const int file = ::memfd_create("weights", 0);
  if (file < 0)
    throw CompileError({}, "cannot convert {}: {}", path, std::strerror(errno));
  const std::string bytes = safetensors_bytes({weights.begin(), weights.end()});
  write_all(file, bytes.data(), bytes.size());
  return fmt::format("/proc/self/fd/{}", file);
}

} // namespace

void convert_weights_argument(std::vector<std::string> &arguments, const Model &model,
                              const std::string &map) {
  const WeightNames names = map.empty() ? WeightNames{} : read_weight_names(map);
  const std::string option = "--weights";
  for (size_t i = 0; i < arguments.size(); ++i) {
    const bool joined = arguments[i].rfind(option + "=", 0) == 0;
    const bool apart = arguments[i] == option && i + 1 < arguments.size();
    if (!joined && !apart)
      continue;
    std::string &argument = arguments[joined ? i : i + 1];
    const std::string path = joined ? argument.substr(option.size() + 1) : argument;
    if (!names.empty() || !is_native_weights(path, model))
      argument = (joined ? option + "=" : "") + anonymous_safetensors(path, model, names);
  }
}

} // namespace sinter
