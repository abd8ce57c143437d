#include "tools/program_cache.h"

#include "backends/halide/kernel_cache.h"
#include "backends/halide/kernels.h"
#include "backends/program/runtime_archives.h"
#include "ir/print.h"
#include "tools/output_file.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>

namespace sinter {

namespace fs = std::filesystem;

namespace {

/// A line a parameter with the hash of its values.
std::string weights_key(const std::map<std::string, WeightArray> &weights) {
  std::string text;
  for (const auto &[parameter, array] : weights) {
    const std::string values(reinterpret_cast<const char *>(array.values.data()),
                             array.values.size() * sizeof(float));
    text += fmt::format("{} {}\n", parameter, content_hash(values));
  }
  return text;
}

struct CachedProgram {
  fs::path folder;
  fs::file_time_type used;
  uintmax_t bytes = 0;
};

/// The folders beside and including `folder`, the latest used first. Another process may remove
/// them meanwhile.
std::vector<CachedProgram> programs_beside(const fs::path &folder) {
  std::vector<CachedProgram> programs;
  std::error_code error;
  for (const auto &entry : fs::directory_iterator(folder.parent_path(), error)) {
    CachedProgram program{entry.path(), fs::last_write_time(entry.path(), error), 0};
    for (const auto &file : fs::directory_iterator(entry.path(), error))
      if (const uintmax_t bytes = fs::file_size(file.path(), error); !error)
        program.bytes += bytes;
    programs.push_back(std::move(program));
  }
  std::sort(programs.begin(), programs.end(),
            [](const CachedProgram &a, const CachedProgram &b) { return a.used > b.used; });
  return programs;
}

} // namespace

std::string program_key(const LoadedModel &loaded, const BackendOptions &backend,
                        const Tuning &tuning) {
  const fs::path self = fs::read_symlink("/proc/self/exe");
  std::string text =
      fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}\n{} {}\n{}{}", SINTER_VERSION, fs::file_size(self),
                  fs::last_write_time(self).time_since_epoch().count(), backend.target,
                  backend.math == Math::fast ? "fast" : "exact",
                  backend.precision == Precision::f32 ? "f32" : "bf16", tuning.fingerprint(),
                  backend.max_memory.value_or(0), backend.memory_batch, print(loaded.model),
                  weights_key(loaded.weights));
  for (const char *archive : {"sinter_program", "sinter_core"})
    text += "\n" + content_hash(read_file(runtime_archive(archive)));
  for (const Variant &variant : variants_for_target(backend.target))
    text += "\n" + variant.halide_target;
  return content_hash(text);
}

void keep_recent_programs(const std::string &folder, uintmax_t most_bytes) {
  std::error_code ignored;
  fs::last_write_time(folder, fs::file_time_type::clock::now(), ignored);
  uintmax_t bytes = 0;
  for (const CachedProgram &program : programs_beside(folder)) {
    bytes += program.bytes;
    if (bytes > most_bytes && program.folder != folder)
      fs::remove_all(program.folder, ignored);
  }
}

} // namespace sinter
