// Output files that appear together or not at all.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace sinter {

/// A private folder beside the output files, .sinter-PROCESS-XXXXXX. Everything is made in it and
/// renamed into place by `publish`; the destructor removes the folder with whatever was not
/// published.
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

  /// Renames the staged files into the directory and returns their paths.
  std::vector<std::string> publish();

private:
  std::filesystem::path directory_;
  std::filesystem::path folder_;
  std::vector<std::string> names_;
};

} // namespace sinter
