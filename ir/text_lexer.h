// Splits the .sir text form into tokens; private to ir/parse.cpp.
#pragma once

#include "ir/source_location.h"

#include <string>

namespace sinter {

enum class TokenKind { end, word, number, string, punctuation };

struct Token {
  TokenKind kind = TokenKind::end;
  std::string text; // a string's contents, unescaped
  int line = 1;
  int column = 1;
};

/// One token of lookahead over a text; `//` comments run to the end of the line. Words are
/// letters, digits, '_' and '.', numbers are what strtod reads; everything else is one character.
class TextLexer {
public:
  TextLexer(const std::string &text, const std::string &file_name);

  const Token &peek() const { return token_; }
  Token next();

  bool at(const std::string &text) const;
  /// Consumes the token when it is `text` (a word or punctuation).
  bool accept(const std::string &text);
  void expect(const std::string &text);
  std::string expect_word();
  std::string expect_string();
  int64_t expect_integer();
  double expect_number();

  SourceLocation location() const { return location(token_); }
  SourceLocation location(const Token &token) const { return {file_, token.line, token.column}; }
  [[noreturn]] void fail(const std::string &expected) const;

private:
  void advance();
  void skip_space();
  void read_string();
  char current() const { return position_ < text_.size() ? text_[position_] : '\0'; }
  char take();

  const std::string &text_;
  std::shared_ptr<const std::string> file_;
  size_t position_ = 0;
  int line_ = 1;
  int column_ = 1;
  Token token_;
};

} // namespace sinter
