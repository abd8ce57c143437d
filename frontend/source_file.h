// A model script's text and the places in it.
#pragma once

#include "ir/source_location.h"

#include <memory>
#include <string>

namespace sinter {

/// A place in the file at hand; both count from 1, columns in characters (code points).
struct Position {
  int line = 0;
  int column = 0;
};

struct SourceFile {
  std::shared_ptr<const std::string> name;
  std::string text; // valid UTF-8 without NUL or byte order mark

  SourceLocation at(Position position) const { return {name, position.line, position.column}; }
};

/// Reads a text file; a missing, binary or enormous one is a CompileError.
SourceFile read_source_file(const std::string &path);
/// Text at hand, checked in the same way.
SourceFile source_from_text(const std::string &name, std::string text);

/// The line that a location names and a caret below its column, two indented lines:
///
///       12 | model.add(Conv2D(32))
///          |           ^
///
/// Empty when the location or its file is not known. `text` is the file's contents.
std::string caret_excerpt(const SourceLocation &location, const std::string &text);
/// The same, reading the file that the location names.
std::string caret_excerpt(const SourceLocation &location);

} // namespace sinter
