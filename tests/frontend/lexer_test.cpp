#include "frontend/lexer.h"
#include "ir/diagnostics.h"

#include <doctest/doctest.h>

using namespace sinter;

namespace {

SourceFile file(const std::string &text) { return source_from_text("test.py", text); }

/// Tokens as text: `name:x`, `int:1`, `text:abc`, `+`, `newline`, `indent`, `dedent`.
std::string tokens(const std::string &text) {
  std::string result;
  for (const Token &token : tokenize(file(text))) {
    switch (token.kind) {
    case TokenKind::name:
      result += "name:" + token.spelling;
      break;
    case TokenKind::integer:
      result += "int:" + std::to_string(token.integer);
      break;
    case TokenKind::real:
      result += fmt::format("real:{}", token.real);
      break;
    case TokenKind::text:
      result += "text:" + token.spelling;
      break;
    case TokenKind::formatted_text:
      result += "f:" + token.spelling;
      break;
    case TokenKind::symbol:
      result += token.spelling;
      break;
    case TokenKind::new_line:
      result += "newline";
      break;
    case TokenKind::indent:
      result += "indent";
      break;
    case TokenKind::dedent:
      result += "dedent";
      break;
    case TokenKind::magic:
      result += "magic:" + token.spelling;
      break;
    case TokenKind::end:
      return result;
    }
    result += ' ';
  }
  return result;
}

} // namespace

TEST_CASE("numbers in every spelling") {
  CHECK(tokens("10_000 1e-3 .5 5. 0x1F 0o17 0b101 1.5E+2 00") ==
        "int:10000 real:0.001 real:0.5 real:5 int:31 int:15 int:5 real:150 int:0 newline ");
}

TEST_CASE("strings in every spelling") {
  CHECK(tokens(R"('a' "b" r'\n' '\n\x41\u00e9\t\\' u'x')") ==
        "text:a text:b text:\\n text:\nA\u00e9\t\\ text:x newline ");
  CHECK(tokens("'''a\nb''' \"\"\"c\"d\"\"\"") == "text:a\nb text:c\"d newline ");
  CHECK(tokens("f'{x}' F\"a\" rf'\\d'") == "f:{x} f:a f:\\d newline ");
  CHECK(tokens("'a\\\nb'") == "text:ab newline ");
  CHECK(tokens("'\\q'") == "text:\\q newline ");
}

TEST_CASE("lines join in brackets and after a backslash") {
  CHECK(tokens("x = (1,  # one\n\n     2)\ny = 1 + \\\n 2") ==
        "name:x = ( int:1 , int:2 ) newline name:y = int:1 + int:2 newline ");
}

TEST_CASE("indentation makes blocks; blank lines and comments do not count") {
  CHECK(tokens("if x:\n    a\n\n  # comment\n    b\nc\n") ==
        "name:if name:x : newline indent name:a newline name:b newline dedent name:c newline ");
  CHECK(tokens("if x:\n    if y:\n        a") ==
        "name:if name:x : newline indent name:if name:y : newline indent name:a newline dedent "
        "dedent ");
  CHECK_THROWS_AS(tokens("if x:\n    a\n\tb\n"), CompileError);
}

TEST_CASE("Windows line ends and a byte order mark") {
  CHECK(tokens("\xEF\xBB\xBFx = 1\r\nif x:\r\n  y\r\n") ==
        "name:x = int:1 newline name:if name:x : newline indent name:y newline dedent ");
}

TEST_CASE("notebook commands are lines of their own") {
  CHECK(tokens("!pip install x\n%matplotlib inline\nx % 2") ==
        "magic:!pip install x newline magic:%matplotlib inline newline name:x % int:2 newline ");
}

TEST_CASE("columns count characters, not bytes") {
  const std::vector<Token> found = tokenize(file("'가나' + x"));
  CHECK(found[1].position.column == 6);
  CHECK(found[2].position.column == 8);
}
