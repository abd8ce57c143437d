// Output files that appear together, once all of them are complete.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace sinter {

/// A private folder beside the output files, .sinter-PROCESS-XXXXXX, locked for as long as its
/// process lives. Everything is made in it and renamed into place by `publish`; the destructor
/// removes the folder with whatever was not published.
class StagedFiles {
public:
  /// Removes the folders that killed processes have left there. Throws CompileError when
  /// `directory` cannot be written to.
  explicit StagedFiles(const std::filesystem::path &directory);
  ~StagedFiles();
  StagedFiles(const StagedFiles &) = delete;
  StagedFiles &operator=(const StagedFiles &) = delete;

  /// A path in the folder for something that is not published.
  std::string scratch(const std::string &name) const;
  std::string write_scratch(const std::string &name, const std::string &content) const;
  /// A path in the folder for a file that is to be published under `name`.
  std::string stage(const std::string &name);
  /// Where `publish` will put it, for messages.
  std::string destination(const std::string &name) const;
  void write(const std::string &name, const std::string &content);

  /// Makes the staged files durable, then renames them into the directory and returns their paths.
  /// Throws CompileError: before the first rename, all old files still stand.
  std::vector<std::string> publish();

private:
  std::filesystem::path directory_;
  std::filesystem::path folder_;
  int lock_ = -1;
  std::vector<std::string> names_;
};

} // namespace sinter
