// Zip archives from anybody: .npz, .keras, .pt.
#pragma once

#include "ir/source_location.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

struct zip;

namespace sinter {

class Archive {
public:
  /// Opens the archive at `file`'s path; `kind` names it in the message when it is none.
  Archive(const SourceLocation &file, const char *kind);

  /// The members' names in the order of the directory.
  const std::vector<std::string> &members() const { return members_; }
  uint64_t file_bytes() const { return file_bytes_; }
  /// The contents of a member, or nothing when there is none of this name. Throws when it is
  /// damaged, or when the archive inflates to far more than its own size: memory stays bounded
  /// whatever the directory claims.
  std::optional<std::string> read(const std::string &name);

private:
  struct Close {
    void operator()(zip *archive) const;
  };
  SourceLocation file_;
  std::unique_ptr<zip, Close> archive_;
  std::vector<std::string> members_;
  std::map<std::string, uint64_t> index_;
  uint64_t file_bytes_ = 0;
  uint64_t budget_ = 0; // bytes that may still be inflated
};

} // namespace sinter
