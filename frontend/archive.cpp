#include "frontend/archive.h"

#include "frontend/binary_file.h"
#include "ir/diagnostics.h"

#include <filesystem>
#include <zip.h>

namespace sinter {

namespace {

// Weights hardly shrink: what inflates to more than this is no model.
constexpr uint64_t kInflation = 8;
constexpr uint64_t kAlwaysAllowed = uint64_t{256} << 20U;
constexpr zip_int64_t kMaxMembers = 1'000'000;

struct CloseMember {
  void operator()(zip_file_t *member) const { zip_fclose(member); }
};

} // namespace

void Archive::Close::operator()(zip *archive) const { zip_discard(archive); }

Archive::Archive(const SourceLocation &file, const char *kind) : file_(file) {
  require_regular_file(file);
  std::error_code error;
  file_bytes_ = std::filesystem::file_size(*file.file, error);
  if (error)
    throw CompileError(file, "cannot read the file");
  int code = 0;
  archive_.reset(zip_open(file.file->c_str(), ZIP_RDONLY, &code));
  if (!archive_) {
    zip_error_t reason;
    zip_error_init_with_code(&reason, code);
    const std::string text = zip_error_strerror(&reason);
    zip_error_fini(&reason);
    throw CompileError(file, "this is no {}: {}", kind, text);
  }
  budget_ = kAlwaysAllowed + kInflation * file_bytes_;
  const zip_int64_t count = zip_get_num_entries(archive_.get(), 0);
  if (count > kMaxMembers)
    throw CompileError(file, "the archive has {} entries, more than {}", count, kMaxMembers);
  for (zip_int64_t i = 0; i < count; ++i) {
    const char *name = zip_get_name(archive_.get(), static_cast<zip_uint64_t>(i), 0);
    members_.emplace_back(name ? name : "");
    index_.emplace(members_.back(), static_cast<uint64_t>(i));
  }
}

std::optional<std::string> Archive::read(const std::string &name) {
  const auto found = index_.find(name);
  if (found == index_.end())
    return std::nullopt;
  const zip_uint64_t index = found->second;
  zip_stat_t stat;
  if (zip_stat_index(archive_.get(), index, 0, &stat) != 0 || (stat.valid & ZIP_STAT_SIZE) == 0)
    throw CompileError(file_, "{} cannot be read", name);
  if (stat.size > budget_)
    throw CompileError(file_, "{} inflates to {} bytes: too many for an archive of this size", name,
                       stat.size);
  budget_ -= stat.size;
  const std::unique_ptr<zip_file_t, CloseMember> member(zip_fopen_index(archive_.get(), index, 0));
  // The directory's size is a claim: memory grows only with what is really there. The checksum is
  // compared by the read that finds the end.
  std::string bytes;
  std::vector<char> chunk(size_t{1} << 20U);
  zip_int64_t read = member ? 1 : -1;
  while (read > 0 && bytes.size() <= stat.size) {
    read = zip_fread(member.get(), chunk.data(), chunk.size());
    if (read > 0)
      bytes.append(chunk.data(), static_cast<size_t>(read));
  }
  if (read != 0 || bytes.size() != stat.size)
    throw CompileError(file_, "{} is truncated or damaged", name);
  return bytes;
}

} // namespace sinter
