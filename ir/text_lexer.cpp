#include "ir/text_lexer.h"

#include "ir/diagnostics.h"

#include <cctype>
#include <cerrno>
#include <cmath>
#include <cstdlib>

namespace sinter {

namespace {

bool is_word_start(char c) { return std::isalpha(static_cast<unsigned char>(c)) || c == '_'; }
bool is_word_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.';
}
bool is_number_character(char c) { return is_word_character(c) || c == '+' || c == '-'; }
bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

} // namespace

TextLexer::TextLexer(const std::string &text, const std::string &file_name)
    : text_(text), file_(std::make_shared<const std::string>(file_name)) {
  advance();
}

char TextLexer::take() {
  const char c = text_[position_++];
  if (c == '\n') {
    ++line_;
    column_ = 1;
  } else {
    ++column_;
  }
  return c;
}

void TextLexer::skip_space() {
  while (position_ < text_.size()) {
    const char c = current();
    if (c == '/' && position_ + 1 < text_.size() && text_[position_ + 1] == '/') {
      while (position_ < text_.size() && current() != '\n')
        take();
    } else if (std::isspace(static_cast<unsigned char>(c))) {
      take();
    } else {
      return;
    }
  }
}

void TextLexer::read_string() {
  token_.kind = TokenKind::string;
  take();
  while (current() != '"') {
    if (position_ >= text_.size() || current() == '\n')
      throw CompileError(location(), "string without an end");
    char c = take();
    if (c == '\\' && position_ < text_.size()) {
      c = take();
      if (c == 'n')
        c = '\n';
    }
    token_.text += c;
  }
  take();
}

void TextLexer::advance() {
  skip_space();
  token_ = {TokenKind::end, "", line_, column_};
  if (position_ >= text_.size())
    return;
  const char c = current();
  const char following = position_ + 1 < text_.size() ? text_[position_ + 1] : '\0';
  if (c == '"') {
    read_string();
  } else if (is_word_start(c)) {
    token_.kind = TokenKind::word;
    while (is_word_character(current()))
      token_.text += take();
  } else if (is_digit(c) ||
             (c == '-' && (is_digit(following) || following == 'i' || following == 'n'))) {
    token_.kind = TokenKind::number;
    // A sign belongs to a number only at its start or behind an exponent.
    do
      token_.text += take();
    while (is_number_character(current()) &&
           ((current() != '+' && current() != '-') || token_.text.back() == 'e'));
  } else {
    token_.kind = TokenKind::punctuation;
    token_.text = take();
  }
}

Token TextLexer::next() {
  Token token = token_;
  advance();
  return token;
}

bool TextLexer::at(const std::string &text) const {
  return (token_.kind == TokenKind::word || token_.kind == TokenKind::punctuation) &&
         token_.text == text;
}

bool TextLexer::accept(const std::string &text) {
  if (!at(text))
    return false;
  advance();
  return true;
}

void TextLexer::fail(const std::string &expected) const {
  const std::string found = token_.kind == TokenKind::end      ? "the end of the file"
                            : token_.kind == TokenKind::string ? "\"" + token_.text + "\""
                                                               : "'" + token_.text + "'";
  throw CompileError(location(), "expected {}, found {}", expected, found);
}

void TextLexer::expect(const std::string &text) {
  if (!accept(text))
    fail("'" + text + "'");
}

std::string TextLexer::expect_word() {
  if (token_.kind != TokenKind::word)
    fail("a word");
  return next().text;
}

std::string TextLexer::expect_string() {
  if (token_.kind != TokenKind::string)
    fail("a string");
  return next().text;
}

int64_t TextLexer::expect_integer() {
  if (token_.kind != TokenKind::number)
    fail("an integer");
  errno = 0;
  char *end = nullptr;
  const long long value = std::strtoll(token_.text.c_str(), &end, 10);
  if (*end != '\0' || errno == ERANGE)
    fail("an integer of 64 bits");
  advance();
  return value;
}

double TextLexer::expect_number() {
  const bool special =
      token_.kind == TokenKind::word && (token_.text == "inf" || token_.text == "nan");
  if (token_.kind != TokenKind::number && !special)
    fail("a number");
  char *end = nullptr;
  const double value = std::strtod(token_.text.c_str(), &end);
  if (*end != '\0')
    fail("a number");
  advance();
  return value;
}

} // namespace sinter
