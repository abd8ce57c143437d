#include "backends/program/staged_files.h"

#include "ir/diagnostics.h"

extern "C" {
#include "runtime/atomic_file.h"
#include "runtime/sinter_runtime.h"
}

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <fstream>
#include <sys/file.h>
#include <unistd.h>

namespace sinter {

namespace {

/// `meant` is what the user knows of it.
void write_file(const std::filesystem::path &path, const std::string &content,
                const std::filesystem::path &meant) {
  errno = 0;
  std::ofstream file(path, std::ios::binary);
  file.write(content.data(), static_cast<std::streamsize>(content.size()));
  file.close();
  if (!file)
    throw CompileError({}, "cannot write {}: {}", meant.string(), std::strerror(errno));
}

/// The process whose folder this is, or 0 when it is none.
pid_t owner_of(const std::string &folder) {
  long process = 0;
  int length = 0;
  const std::string name = std::filesystem::path(folder).filename().string();
  if (std::sscanf(name.c_str(), ".sinter-%ld-%*6c%n", &process, &length) != 1 ||
      static_cast<size_t>(length) != name.size() || process <= 0)
    return 0;
  return static_cast<pid_t>(process);
}

/// A descriptor that holds the folder's lock, or -1: it is held by another process.
int lock_folder(const std::filesystem::path &folder) {
  const int descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor >= 0 && flock(descriptor, LOCK_EX | LOCK_NB) == 0)
    return descriptor;
  if (descriptor >= 0)
    close(descriptor);
  return -1;
}

/// A process that was killed could not clean up after itself. One that seems gone may live in
/// another container, hence the lock; a lock alone would not cover the moment before it is taken.
void remove_left_folders(const std::filesystem::path &directory) {
  std::error_code ignored;
  for (const auto &entry : std::filesystem::directory_iterator(directory, ignored)) {
    const pid_t owner = owner_of(entry.path().string());
    if (owner == 0 || kill(owner, 0) == 0 || errno != ESRCH)
      continue;
    const int lock = lock_folder(entry.path());
    if (lock < 0)
      continue;
    std::filesystem::remove_all(entry.path(), ignored);
    close(lock);
  }
}

} // namespace

StagedFiles::StagedFiles(const std::filesystem::path &directory)
    : directory_(directory.empty() ? "." : directory) {
  remove_left_folders(directory_);
  std::string pattern = directory_ / fmt::format(".sinter-{}-XXXXXX", getpid());
  if (mkdtemp(pattern.data()) == nullptr)
    throw CompileError({}, "cannot write to {}: {}", directory_.string(), std::strerror(errno));
  folder_ = pattern;
  lock_ = lock_folder(folder_);
  std::filesystem::create_directory(folder_ / "scratch");
}

StagedFiles::~StagedFiles() {
  std::error_code ignored; // nothing more can be done about it
  std::filesystem::remove_all(folder_, ignored);
  if (lock_ >= 0)
    close(lock_);
}

std::string StagedFiles::scratch(const std::string &name) const {
  return folder_ / "scratch" / name;
}

std::string StagedFiles::write_scratch(const std::string &name, const std::string &content) const {
  std::string path = scratch(name);
  write_file(path, content, directory_);
  return path;
}

std::string StagedFiles::stage(const std::string &name) {
  const std::filesystem::file_status there = std::filesystem::status(directory_ / name);
  // A rename would put the file in the place of a device or a pipe instead of writing into it.
  if (exists(there) && !is_regular_file(there))
    throw CompileError({}, "cannot write {}: it is {}", (directory_ / name).string(),
                       is_directory(there) ? "a directory" : "no regular file");
  names_.push_back(name);
  return folder_ / name;
}

std::string StagedFiles::destination(const std::string &name) const { return directory_ / name; }

void StagedFiles::write(const std::string &name, const std::string &content) {
  write_file(stage(name), content, directory_ / name);
}

std::vector<std::string> StagedFiles::publish() {
  for (const std::string &name : names_)
    if (sinter_sync_file((folder_ / name).c_str()) != SINTER_OK)
      throw CompileError({}, "{}", sinter_last_error());
  std::vector<std::string> paths;
  for (const std::string &name : names_) {
    const std::filesystem::path path = directory_ / name;
    std::error_code error;
    std::filesystem::rename(folder_ / name, path, error);
    if (error)
      throw CompileError({}, "cannot write {}: {}", path.string(), error.message());
    paths.push_back(path);
  }
  sinter_sync_folder_of((directory_ / "any").c_str());
  names_.clear();
  return paths;
}

} // namespace sinter
