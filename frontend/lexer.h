// Splits a model script into tokens, Python's way: significant indentation, implicit line joining
// inside brackets, comments, every spelling of strings and numbers that the subset knows.
#pragma once

#include "frontend/source_file.h"

#include <cstdint>
#include <string>
#include <vector>

namespace sinter {

enum class TokenKind {
  name, // identifiers and keywords
  integer,
  real,
  text,           // a string literal, decoded
  formatted_text, // an f-string's body, not yet decoded
  symbol,         // operators and brackets
  new_line,       // the end of a logical line
  indent,
  dedent,
  magic, // a notebook's "!pip install ..." or "%matplotlib inline": the whole line
  end
};

struct Token {
  TokenKind kind = TokenKind::end;
  Position position;
  std::string spelling; // contents for text; "" for indent, dedent, new_line and end
  int64_t integer = 0;
  double real = 0;
  bool raw = false; // of formatted_text: backslashes stand for themselves
};

/// The tokens of a whole file, ended by `end`. Throws CompileError.
std::vector<Token> tokenize(const SourceFile &);

/// The tokens of an expression inside an f-string, all placed at `position`.
std::vector<Token> tokenize_expression(const SourceFile &, const std::string &text,
                                       Position position);

/// Replaces backslash escapes as Python does in a string literal at `position`.
std::string decode_escapes(const SourceFile &, const std::string &body, Position position);

} // namespace sinter
