#include "frontend/lexer.h"

#include "ir/diagnostics.h"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <optional>
#include <string_view>

namespace sinter {

namespace {

constexpr size_t kMaxIndentation = 100; // nested blocks; CPython's limit too
constexpr size_t kMaxBrackets = 200;

// Longest first, so that the first match is the right one.
constexpr std::array<std::string_view, 46> kSymbols = {
    "**=", "//=", ">>=", "<<=", "...", "!=", "==", "<=", ">=", "->", ":=", "+=",
    "-=",  "*=",  "/=",  "%=",  "&=",  "|=", "^=", "@=", "**", "//", "<<", ">>",
    "+",   "-",   "*",   "/",   "%",   "@",  "&",  "|",  "^",  "~",  "<",  ">",
    "(",   ")",   "[",   "]",   "{",   "}",  ",",  ":",  ".",  "="};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool starts_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool continues_name(char c) { return starts_name(c) || is_digit(c); }

int digit_value(char c) {
  if (is_digit(c))
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return 99;
}

class Lexer {
public:
  Lexer(const SourceFile &file, const std::string &text) : file_(file), text_(text) {}

  /// Inside an f-string: one expression, everything placed at `position`.
  Lexer(const SourceFile &file, const std::string &text, Position position)
      : file_(file), text_(text), fixed_(position) {}

  std::vector<Token> run();

private:
  char peek(size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  bool done() const { return at_ >= text_.size(); }
  void advance(size_t bytes = 1);
  Position position() const { return fixed_ ? *fixed_ : Position{line_, column_}; }
  [[noreturn]] void fail(Position where, const std::string &text) const {
    throw CompileError(file_.at(where), text);
  }
  Token &push(TokenKind kind, Position where, std::string spelling = {});

  void read_indentation();
  void set_indentation(int width, int tabless_width);
  void skip_comment();
  void end_line();
  void read_token();
  void read_name_or_string();
  void read_string(Position where, const std::string &prefix);
  std::string read_string_body(Position where, char quote, bool triple);
  void read_number();
  void read_based_integer(Position where, int base);
  std::string read_digits();
  void read_symbol();
  bool blank_line() const { return done() || peek() == '\n' || peek() == '\r' || peek() == '#'; }

  struct Indentation {
    int width;         // tabs reach to multiples of 8
    int tabless_width; // tabs count 1: both must agree on what is deeper
  };
  struct Bracket {
    char close;
    Position position;
  };

  const SourceFile &file_;
  const std::string &text_;
  std::optional<Position> fixed_;
  size_t at_ = 0;
  int line_ = 1;
  int column_ = 1;
  bool line_start_ = true;
  std::vector<Indentation> indentation_{{0, 0}};
  std::vector<Bracket> brackets_;
  std::vector<Token> tokens_;
};

void Lexer::advance(size_t bytes) {
  for (; bytes > 0 && at_ < text_.size(); --bytes, ++at_) {
    if (text_[at_] == '\n') {
      ++line_;
      column_ = 1;
    } else if ((static_cast<unsigned char>(text_[at_]) & 0xC0U) != 0x80U) {
      ++column_;
    }
  }
}

Token &Lexer::push(TokenKind kind, Position where, std::string spelling) {
  Token token;
  token.kind = kind;
  token.position = where;
  token.spelling = std::move(spelling);
  tokens_.push_back(std::move(token));
  return tokens_.back();
}

std::vector<Token> Lexer::run() {
  line_start_ = !fixed_;
  while (!done()) {
    if (line_start_ && brackets_.empty())
      read_indentation();
    else
      read_token();
  }
  if (!brackets_.empty())
    fail(brackets_.back().position, fmt::format("this bracket is never closed with '{}'",
                                                std::string(1, brackets_.back().close)));
  end_line();
  set_indentation(0, 0);
  push(TokenKind::end, position());
  return std::move(tokens_);
}

/// The start of a logical line; blank lines and comments change nothing.
void Lexer::read_indentation() {
  int width = 0;
  int tabless_width = 0;
  for (; peek() == ' ' || peek() == '\t' || peek() == '\f'; advance()) {
    width = peek() == '\t' ? (width / 8 + 1) * 8 : width + 1;
    ++tabless_width;
  }
  if (blank_line()) {
    skip_comment();
    if (peek() == '\r')
      advance();
    advance();
    return;
  }
  line_start_ = false;
  set_indentation(width, tabless_width);
  if (peek() == '!' || peek() == '%') {
    const Position where = position();
    std::string line;
    for (; !done() && peek() != '\n' && peek() != '\r'; advance())
      line += peek();
    push(TokenKind::magic, where, std::move(line));
  }
}

void Lexer::set_indentation(int width, int tabless_width) {
  const Position where = position();
  const auto deeper = [&](const Indentation &outer) {
    const bool by_width = width > outer.width;
    if (by_width != (tabless_width > outer.tabless_width) ||
        (width == outer.width) != (tabless_width == outer.tabless_width))
      fail(where, "inconsistent use of tabs and spaces in the indentation");
    return by_width;
  };
  if (deeper(indentation_.back())) {
    if (indentation_.size() >= kMaxIndentation)
      fail(where, fmt::format("more than {} nested blocks", kMaxIndentation));
    indentation_.push_back({width, tabless_width});
    push(TokenKind::indent, where);
    return;
  }
  while (width < indentation_.back().width) {
    indentation_.pop_back();
    push(TokenKind::dedent, where);
  }
  if (width != indentation_.back().width)
    fail(where, "this indentation matches no outer block");
}

void Lexer::skip_comment() {
  if (peek() == '#')
    while (!done() && peek() != '\n')
      advance();
}

/// Ends the logical line, when it has any token.
void Lexer::end_line() {
  const bool empty = tokens_.empty() || tokens_.back().kind == TokenKind::new_line ||
                     tokens_.back().kind == TokenKind::indent ||
                     tokens_.back().kind == TokenKind::dedent;
  if (!empty)
    push(TokenKind::new_line, position());
}

void Lexer::read_token() {
  const char c = peek();
  if (c == ' ' || c == '\t' || c == '\f' || c == '\r')
    return advance();
  if (c == '#')
    return skip_comment();
  if (c == '\n') {
    if (brackets_.empty() && !fixed_) {
      end_line();
      line_start_ = true;
    }
    return advance();
  }
  if (c == '\\') {
    const size_t length = peek(1) == '\r' ? 3 : 2;
    if (peek(length - 1) != '\n')
      fail(position(), "a backslash outside a string must end its line");
    return advance(length);
  }
  if (is_digit(c) || (c == '.' && is_digit(peek(1))))
    return read_number();
  if (starts_name(c) || c == '"' || c == '\'')
    return read_name_or_string();
  read_symbol();
}

void Lexer::read_name_or_string() {
  const Position where = position();
  std::string word;
  for (; continues_name(peek()); advance())
    word += peek();
  if ((peek() == '"' || peek() == '\'') && word.size() <= 2) {
    std::string prefix;
    for (const char c : word)
      prefix += static_cast<char>(c | 0x20); // to lower case
    if (prefix.empty() || prefix == "r" || prefix == "u" || prefix == "f" || prefix == "rf" ||
        prefix == "fr")
      return read_string(where, prefix);
    if (prefix == "b" || prefix == "rb" || prefix == "br")
      fail(where, "byte strings are not supported in a model script");
  }
  push(TokenKind::name, where, std::move(word));
}

void Lexer::read_string(Position where, const std::string &prefix) {
  const char quote = peek();
  const bool triple = peek(1) == quote && peek(2) == quote;
  advance(triple ? 3 : 1);
  std::string body = read_string_body(where, quote, triple);
  const bool raw = prefix.find('r') != std::string::npos;
  if (prefix.find('f') != std::string::npos) {
    push(TokenKind::formatted_text, where, std::move(body)).raw = raw;
    return;
  }
  push(TokenKind::text, where, raw ? std::move(body) : decode_escapes(file_, body, where));
}

std::string Lexer::read_string_body(Position where, char quote, bool triple) {
  std::string body;
  while (true) {
    if (done() || (!triple && peek() == '\n'))
      fail(where, "this string never ends");
    if (peek() == quote && (!triple || (peek(1) == quote && peek(2) == quote))) {
      advance(triple ? 3 : 1);
      return body;
    }
    if (peek() == '\\' && at_ + 1 < text_.size()) {
      body += peek();
      advance();
    }
    body += peek();
    advance();
  }
}

/// Decimal digits with single underscores between them.
std::string Lexer::read_digits() {
  std::string digits;
  while (is_digit(peek()) || (peek() == '_' && is_digit(peek(1)) && !digits.empty())) {
    if (peek() != '_')
      digits += peek();
    advance();
  }
  return digits;
}

void Lexer::read_number() {
  const Position where = position();
  const char base = static_cast<char>(peek(1) | 0x20);
  if (peek() == '0' && (base == 'x' || base == 'o' || base == 'b'))
    return read_based_integer(where, base == 'x' ? 16 : base == 'o' ? 8 : 2);
  std::string spelling = read_digits();
  bool real = false;
  if (peek() == '.') {
    real = true;
    advance();
    spelling += '.' + read_digits();
  }
  if ((peek() | 0x20) == 'e') {
    const size_t sign = peek(1) == '+' || peek(1) == '-' ? 1 : 0;
    if (is_digit(peek(1 + sign))) {
      real = true;
      spelling += 'e';
      if (sign != 0)
        spelling += peek(1);
      advance(1 + sign);
      spelling += read_digits();
    }
  }
  if (continues_name(peek()))
    fail(where, fmt::format("'{}{}' is not a number", spelling, std::string(1, peek())));
  errno = 0;
  if (real) {
    push(TokenKind::real, where, spelling).real = std::strtod(spelling.c_str(), nullptr);
    return;
  }
  if (spelling.size() > 1 && spelling[0] == '0' &&
      spelling.find_first_not_of('0') != std::string::npos)
    fail(where, fmt::format("the integer {} must not start with 0", spelling));
  const int64_t value = std::strtoll(spelling.c_str(), nullptr, 10);
  if (errno == ERANGE)
    fail(where, fmt::format("the integer {} does not fit in 64 bits", spelling));
  push(TokenKind::integer, where, spelling).integer = value;
}

void Lexer::read_based_integer(Position where, int base) {
  advance(2);
  int64_t value = 0;
  bool any = false;
  for (; digit_value(peek()) < base || peek() == '_'; advance()) {
    if (peek() == '_')
      continue;
    any = true;
    if (value > (INT64_MAX - digit_value(peek())) / base)
      fail(where, "this integer does not fit in 64 bits");
    value = value * base + digit_value(peek());
  }
  if (!any || continues_name(peek()))
    fail(where, "this is not a number");
  push(TokenKind::integer, where).integer = value;
}

void Lexer::read_symbol() {
  const Position where = position();
  for (const std::string_view symbol : kSymbols) {
    if (text_.compare(at_, symbol.size(), symbol) != 0)
      continue;
    if (symbol == "(" || symbol == "[" || symbol == "{") {
      if (brackets_.size() >= kMaxBrackets)
        fail(where, fmt::format("more than {} nested brackets", kMaxBrackets));
      brackets_.push_back({symbol == "(" ? ')' : symbol == "[" ? ']' : '}', where});
    } else if (symbol == ")" || symbol == "]" || symbol == "}") {
      if (brackets_.empty())
        fail(where, fmt::format("'{}' closes no bracket", symbol));
      if (brackets_.back().close != symbol[0])
        fail(where, fmt::format("'{}' closes a bracket that expects '{}'", symbol,
                                std::string(1, brackets_.back().close)));
      brackets_.pop_back();
    }
    advance(symbol.size());
    push(TokenKind::symbol, where, std::string(symbol));
    return;
  }
  if (peek() == ';') {
    advance();
    push(TokenKind::symbol, where, ";");
    return;
  }
  const unsigned char c = static_cast<unsigned char>(peek());
  fail(where, c >= 0x20 && c < 0x7F ? fmt::format("'{}' means nothing here", peek())
                                    : fmt::format("unexpected character 0x{:02x}", c));
}

void append_utf8(std::string &text, uint32_t code) {
  const auto put = [&](uint32_t byte) { text += static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0U | code >> 6U);
    put(0x80U | (code & 0x3FU));
  } else if (code < 0x10000) {
    put(0xE0U | code >> 12U);
    put(0x80U | (code >> 6U & 0x3FU));
    put(0x80U | (code & 0x3FU));
  } else {
    put(0xF0U | code >> 18U);
    put(0x80U | (code >> 12U & 0x3FU));
    put(0x80U | (code >> 6U & 0x3FU));
    put(0x80U | (code & 0x3FU));
  }
}

/// One escape whose letter is body[at]; returns the number of characters used.
size_t decode_escape(const SourceFile &file, const std::string &body, size_t at, Position position,
                     std::string &result) {
  static constexpr std::string_view kLetters = "\\'\"abfnrtv";
  static constexpr std::string_view kMeanings = "\\'\"\a\b\f\n\r\t\v";
  const char c = body[at];
  const size_t simple = kLetters.find(c);
  if (simple != std::string_view::npos) {
    result += kMeanings[simple];
    return 1;
  }
  if (c == '\n')
    return 1;
  const size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
  size_t used = 0;
  uint32_t code = 0;
  if (digits > 0) {
    for (; used < digits && at + 1 + used < body.size(); ++used) {
      const int digit = digit_value(body[at + 1 + used]);
      if (digit > 15)
        break;
      code = code * 16 + static_cast<uint32_t>(digit);
    }
    if (used < digits || code > 0x10FFFF || code == 0 || (code >= 0xD800 && code < 0xE000))
      throw CompileError(file.at(position), "invalid escape '\\{}' in this string", c);
    ++used;
  } else if (c >= '0' && c <= '7') {
    for (; used < 3 && at + used < body.size() && body[at + used] >= '0' && body[at + used] <= '7';
         ++used)
      code = code * 8 + static_cast<uint32_t>(body[at + used] - '0');
    if (code == 0)
      throw CompileError(file.at(position), "a string must not contain NUL");
  } else {
    result += '\\'; // an unknown escape stands for itself
    return 0;
  }
  append_utf8(result, code);
  return used;
}

} // namespace

std::string decode_escapes(const SourceFile &file, const std::string &body, Position position) {
  std::string result;
  for (size_t i = 0; i < body.size();) {
    if (body[i] != '\\' || i + 1 == body.size()) {
      result += body[i++];
      continue;
    }
    i += 1 + decode_escape(file, body, i + 1, position, result);
  }
  return result;
}

std::vector<Token> tokenize(const SourceFile &file) { return Lexer(file, file.text).run(); }

std::vector<Token> tokenize_expression(const SourceFile &file, const std::string &text,
                                       Position position) {
  return Lexer(file, text, position).run();
}

} // namespace sinter
