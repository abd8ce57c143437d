// Where in the user's model file a node came from.
#pragma once

#include <memory>
#include <string>

namespace sinter {

/// A position in a model file. `line` and `column` count from 1; 0 means unknown (a node made by
/// a pass from nothing the user wrote).
struct SourceLocation {
  std::shared_ptr<const std::string> file;
  int line = 0;
  int column = 0;

  bool known() const { return file != nullptr && line > 0; }
  /// `file:line:col`, or the file alone, or "" when nothing is known.
  std::string str() const;

  friend bool operator==(const SourceLocation &a, const SourceLocation &b) {
    const bool same_file = (a.file == b.file) || (a.file && b.file && *a.file == *b.file);
    return same_file && a.line == b.line && a.column == b.column;
  }
};

} // namespace sinter
