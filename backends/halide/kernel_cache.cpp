#include "backends/halide/kernel_cache.h"

#include <cstdint>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <random>
#include <sstream>
#include <system_error>

namespace sinter {

namespace fs = std::filesystem;

namespace {

__extension__ typedef unsigned __int128 Uint128;

constexpr const char *kMagic = "sinter-kernel-3";

/// What follows the header line, in this order, with these sizes.
struct Header {
  size_t key = 0, algorithm = 0, unfit = 0, object = 0;
};

std::string body(const std::string &key, const CachedKernel &kernel) {
  return key + kernel.algorithm + kernel.unfit + kernel.object;
}

/// Reads `magic elements key-size algorithm-size unfit-size object-size hash` and the body, if all
/// of it is sound.
std::optional<CachedKernel> parse(const std::string &content, const std::string &key) {
  const size_t end = content.find('\n');
  if (end == std::string::npos)
    return std::nullopt;
  std::istringstream line(content.substr(0, end));
  std::string magic, hash;
  Header sizes;
  int64_t elements = 0;
  line >> magic >> elements >> sizes.key >> sizes.algorithm >> sizes.unfit >> sizes.object >> hash;
  const std::string rest = content.substr(end + 1);
  if (!line || magic != kMagic || sizes.key != key.size() ||
      rest.size() != sizes.key + sizes.algorithm + sizes.unfit + sizes.object ||
      rest.compare(0, sizes.key, key) != 0 || content_hash(std::to_string(elements) + rest) != hash)
    return std::nullopt;
  const size_t unfit = sizes.key + sizes.algorithm;
  return CachedKernel{rest.substr(sizes.key, sizes.algorithm), elements,
                      rest.substr(unfit + sizes.unfit), rest.substr(unfit, sizes.unfit)};
}

/// A name that no other process or thread picks.
std::string temporary_name(const std::string &final_name) {
  std::random_device device;
  return fmt::format("{}.{:08x}{:08x}", final_name, device(), device());
}

} // namespace

std::string content_hash(const std::string &text) {
  // FNV-1a, 128 bits: offset basis and prime as published.
  Uint128 hash = (static_cast<Uint128>(0x6c62272e07bb0142ULL) << 64) | 0x62b821756295c58dULL;
  const Uint128 prime = (static_cast<Uint128>(0x0000000001000000ULL) << 64) | 0x13bULL;
  for (char c : text)
    hash = (hash ^ static_cast<unsigned char>(c)) * prime;
  return fmt::format("{:016x}{:016x}", static_cast<uint64_t>(hash >> 64),
                     static_cast<uint64_t>(hash));
}

std::string KernelCache::path(const std::string &key) const {
  return (fs::path(folder_) / (content_hash(key) + ".kernel")).string();
}

std::optional<CachedKernel> KernelCache::load(const std::string &key) const {
  if (folder_.empty())
    return std::nullopt;
  std::ifstream file(path(key), std::ios::binary);
  if (!file)
    return std::nullopt;
  std::ostringstream content;
  content << file.rdbuf();
  return parse(content.str(), key);
}

void KernelCache::store(const std::string &key, const CachedKernel &kernel) const {
  if (folder_.empty())
    return;
  std::error_code error;
  fs::create_directories(folder_, error);
  const std::string temporary = temporary_name(path(key));
  const std::string content = body(key, kernel);
  {
    std::ofstream file(temporary, std::ios::binary);
    file << fmt::format("{} {} {} {} {} {} {}\n", kMagic, kernel.elements_per_sample, key.size(),
                        kernel.algorithm.size(), kernel.unfit.size(), kernel.object.size(),
                        content_hash(std::to_string(kernel.elements_per_sample) + content))
         << content;
    file.flush();
    if (!file) {
      file.close();
      fs::remove(temporary, error);
      return;
    }
  }
  fs::rename(temporary, path(key), error);
  if (error)
    fs::remove(temporary, error);
}

} // namespace sinter
