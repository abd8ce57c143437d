#include "backends/program/staged_files.h"

#include "ir/diagnostics.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>

namespace sinter {

namespace {

void write_file(const std::filesystem::path &path, const std::string &content,
                const std::filesystem::path &meant) {
  errno = 0;
  std::ofstream file(path, std::ios::binary);
  file.write(content.data(), static_cast<std::streamsize>(content.size()));
  file.close();
  if (!file)
    throw CompileError({}, "cannot write {}: {}", meant.string(), std::strerror(errno));
}

} // namespace

StagedFiles::StagedFiles(const std::filesystem::path &directory)
    : directory_(directory.empty() ? "." : directory) {
  std::string pattern = (directory_ / ".sinter-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr)
    throw CompileError({}, "cannot write to {}: {}", directory_.string(), std::strerror(errno));
  folder_ = pattern;
  std::filesystem::create_directory(folder_ / "scratch");
}

StagedFiles::~StagedFiles() {
  std::error_code ignored; // nothing more can be done about it
  std::filesystem::remove_all(folder_, ignored);
}

std::string StagedFiles::scratch(const std::string &name) const {
  return folder_ / "scratch" / name;
}

std::string StagedFiles::write_scratch(const std::string &name, const std::string &content) const {
  std::string path = scratch(name);
  write_file(path, content, path);
  return path;
}

std::string StagedFiles::stage(const std::string &name) {
  if (std::filesystem::is_directory(directory_ / name))
    throw CompileError({}, "cannot write {}: it is a directory", (directory_ / name).string());
  names_.push_back(name);
  return folder_ / name;
}

void StagedFiles::write(const std::string &name, const std::string &content) {
  write_file(stage(name), content, directory_ / name);
}

std::vector<std::string> StagedFiles::publish() {
  std::vector<std::string> paths;
  for (const std::string &name : names_) {
    const std::filesystem::path path = directory_ / name;
    std::error_code error;
    std::filesystem::rename(folder_ / name, path, error);
    if (error)
      throw CompileError({}, "cannot write {}: {}", path.string(), error.message());
    paths.push_back(path);
  }
  names_.clear();
  return paths;
}

} // namespace sinter
