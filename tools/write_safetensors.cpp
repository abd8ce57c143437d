#include "tools/write_safetensors.h"

#include "ir/diagnostics.h"

#include <nlohmann/json.hpp>

namespace sinter {

namespace {

/// The format's header is JSON, which is UTF-8.
void check_name(const std::string &name) {
  try {
    nlohmann::json(name).dump();
  } catch (const nlohmann::json::type_error &) {
    throw CompileError({}, "the array {} cannot be written: safetensors names are UTF-8",
                       nlohmann::json(name).dump(-1, ' ', /*ensure_ascii=*/true,
                                                 nlohmann::json::error_handler_t::replace));
  }
}

} // namespace

/// The length of the header in 8 little-endian bytes, the JSON header, padded so that the values
/// begin at a multiple of 8, the values.
std::string safetensors_bytes(const NamedWeights &weights) {
  nlohmann::json header = nlohmann::json::object();
  size_t offset = 0;
  for (const auto &[parameter, array] : weights) {
    check_name(parameter);
    const size_t end = offset + array.values.size() * sizeof(float);
    header[parameter] = {{"dtype", "F32"}, {"shape", array.shape}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  std::string bytes;
  for (unsigned byte = 0; byte < 8; ++byte)
    bytes += static_cast<char>(text.size() >> (8 * byte) & 0xFFU);
  bytes += text;
  for (const auto &[parameter, array] : weights)
    bytes.append(reinterpret_cast<const char *>(array.values.data()),
                 array.values.size() * sizeof(float));
  return bytes;
}

} // namespace sinter
