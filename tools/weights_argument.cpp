#include "tools/weights_argument.h"

#include "frontend/weights.h"
#include "ir/diagnostics.h"

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <sys/mman.h>
#include <unistd.h>

namespace sinter {

namespace {

bool ends_with(const std::string &text, const std::string &end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

/// The length of the header in 8 little-endian bytes, the JSON header, the values.
std::string safetensors_header(const std::map<std::string, WeightArray> &weights) {
  nlohmann::json header;
  size_t offset = 0;
  for (const auto &[parameter, array] : weights) {
    const size_t end = offset + array.values.size() * sizeof(float);
    header[parameter] = {{"dtype", "F32"}, {"shape", array.shape}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  const std::string text = header.dump();
  std::string length;
  for (unsigned byte = 0; byte < 8; ++byte)
    length += static_cast<char>(text.size() >> (8 * byte) & 0xFFU);
  return length + text;
}

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

std::string anonymous_safetensors(const std::string &path, const Model &model) {
  const std::map<std::string, WeightArray> weights = load_weights(path, model);
  const int file = ::memfd_create("weights", 0);
  if (file < 0)
    throw CompileError({}, "cannot convert {}: {}", path, std::strerror(errno));
  const std::string header = safetensors_header(weights);
  write_all(file, header.data(), header.size());
  for (const auto &[parameter, array] : weights)
    write_all(file, reinterpret_cast<const char *>(array.values.data()),
              array.values.size() * sizeof(float));
  return fmt::format("/proc/self/fd/{}", file);
}

} // namespace

void convert_weights_argument(std::vector<std::string> &arguments, const Model &model) {
  const std::string option = "--weights";
  for (size_t i = 0; i < arguments.size(); ++i) {
    const bool joined = arguments[i].rfind(option + "=", 0) == 0;
    const bool apart = arguments[i] == option && i + 1 < arguments.size();
    if (!joined && !apart)
      continue;
    std::string &argument = arguments[joined ? i : i + 1];
    const std::string path = joined ? argument.substr(option.size() + 1) : argument;
    if (!ends_with(path, ".safetensors"))
      argument = (joined ? option + "=" : "") + anonymous_safetensors(path, model);
  }
}

} // namespace sinter
