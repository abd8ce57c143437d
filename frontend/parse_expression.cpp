#include "frontend/parse_tokens.h"

#include <algorithm>
#include <array>

namespace sinter {

namespace {

constexpr int kMaxDepth = 150;

/// Left-associative binary operators, loosest first.
constexpr std::array<std::array<std::string_view, 5>, 6> kLevels = {
    {{"|"}, {"^"}, {"&"}, {"<<", ">>"}, {"+", "-"}, {"*", "/", "//", "%", "@"}}};

} // namespace

bool is_keyword(const std::string &name) {
  static constexpr std::array<std::string_view, 35> kKeywords = {
      "False", "None",     "True",  "and",    "as",   "assert", "async",  "await",    "break",
      "class", "continue", "def",   "del",    "elif", "else",   "except", "finally",  "for",
      "from",  "global",   "if",    "import", "in",   "is",     "lambda", "nonlocal", "not",
      "or",    "pass",     "raise", "return", "try",  "while",  "with",   "yield"};
  return std::find(kKeywords.begin(), kKeywords.end(), name) != kKeywords.end();
}

Parser::DepthGuard::DepthGuard(Parser &parser) : parser_(parser) {
  if (++parser_.depth_ > kMaxDepth) {
    --parser_.depth_;
    parser_.fail(parser_.peek().position,
                 fmt::format("expressions or blocks nest more than {} deep", kMaxDepth));
  }
}

const Token &Parser::peek(size_t ahead) const {
  return tokens_[std::min(next_ + ahead, tokens_.size() - 1)];
}

const Token &Parser::take() {
  const Token &token = peek();
  if (token.kind != TokenKind::end)
    ++next_;
  return token;
}

bool Parser::at(std::string_view spelling) const {
  const Token &token = peek();
  return (token.kind == TokenKind::symbol || token.kind == TokenKind::name) &&
         token.spelling == spelling;
}

bool Parser::accept(std::string_view spelling) {
  if (!at(spelling))
    return false;
  take();
  return true;
}

void Parser::expect(std::string_view spelling, const char *context) {
  if (!accept(spelling))
    fail_here(fmt::format("'{}' {}", spelling, context).c_str());
}

std::string Parser::take_name(const char *what) {
  if (!at(TokenKind::name) || is_keyword(peek().spelling))
    fail_here(what);
  return take().spelling;
}

void Parser::fail(Position position, const std::string &text) const {
  throw CompileError(script_.file.at(position), text);
}

void Parser::fail_here(const char *expected) const {
  const Token &token = peek();
  const char *found = nullptr;
  switch (token.kind) {
  case TokenKind::new_line:
    found = "the end of the line";
    break;
  case TokenKind::end:
    found = "the end of the file";
    break;
  case TokenKind::indent:
    found = "a deeper indentation";
    break;
  case TokenKind::dedent:
    found = "the end of the block";
    break;
  case TokenKind::text:
  case TokenKind::formatted_text:
    found = "a string";
    break;
  default:
    fail(token.position, fmt::format("expected {}, got '{}'", expected, token.spelling));
  }
  fail(token.position, fmt::format("expected {}, got {}", expected, found));
}

Expr Parser::make(Position position, decltype(Expression::node) node) {
  script_.expressions.push_back({position, std::move(node)});
  return &script_.expressions.back();
}

Expr Parser::parse_field() {
  Expr value = parse_expression_list();
  if (!at(TokenKind::new_line) && !at(TokenKind::end))
    fail_here("the end of the expression in this f-string");
  return value;
}

/// One expression, or a tuple without parentheses: `a, b` and `*rest, last`.
Expr Parser::parse_expression_list() {
  const Position position = peek().position;
  const Element first = parse_element();
  if (!at(","))
    return first.starred ? (fail(position, "a starred expression stands only in a list"), nullptr)
                         : first.value;
  return make(position, TupleDisplay{parse_elements(first, "")});
}

/// What `for` assigns to: stops before `in`, which a comparison would take.
Expr Parser::parse_target_list() {
  const Position position = peek().position;
  std::vector<Element> elements;
  bool tuple = false;
  while (true) {
    const bool starred = accept("*");
    elements.push_back({parse_postfix(), starred});
    if (!accept(","))
      break;
    tuple = true;
    if (at("in"))
      break;
  }
  Expr target = tuple ? make(position, TupleDisplay{std::move(elements)}) : elements[0].value;
  check_target(target);
  return target;
}

Expr Parser::parse_expression() {
  const DepthGuard guard(*this);
  const Position position = peek().position;
  if (at("lambda"))
    return parse_lambda();
  if (at("yield") || at("await"))
    fail(position, fmt::format("'{}' is not supported in a model script", peek().spelling));
  Expr value = parse_disjunction();
  if (at(":="))
    fail(peek().position, "':=' is not supported in a model script");
  if (!accept("if"))
    return value;
  Expr condition = parse_disjunction();
  expect("else", "in this conditional expression");
  Expr otherwise = parse_expression();
  return make(position, ConditionalExpression{condition, value, otherwise});
}

Expr Parser::parse_lambda() {
  const Position position = take().position;
  std::vector<Parameter> parameters = parse_parameters(":", /*annotated=*/false);
  expect(":", "after the parameters of this lambda");
  return make(position, LambdaExpression{std::move(parameters), parse_expression()});
}

Expr Parser::parse_disjunction() {
  const Position position = peek().position;
  std::vector<Expr> operands{parse_conjunction()};
  while (accept("or"))
    operands.push_back(parse_conjunction());
  return operands.size() == 1 ? operands[0]
                              : make(position, BooleanOperation{false, std::move(operands)});
}

Expr Parser::parse_conjunction() {
  const Position position = peek().position;
  std::vector<Expr> operands{parse_negation()};
  while (accept("and"))
    operands.push_back(parse_negation());
  return operands.size() == 1 ? operands[0]
                              : make(position, BooleanOperation{true, std::move(operands)});
}

Expr Parser::parse_negation() {
  const Position position = peek().position;
  if (!accept("not"))
    return parse_comparison();
  const DepthGuard guard(*this);
  return make(position, UnaryOperation{"not", parse_negation()});
}

/// The operator at hand ("<", "in", "not in", "is not", ...), or "".
std::string Parser::take_comparison_operator() {
  for (const char *op : {"<", ">", "==", "!=", "<=", ">=", "in"})
    if (accept(op))
      return op;
  if (at("not") && peek(1).kind == TokenKind::name && peek(1).spelling == "in") {
    take();
    take();
    return "not in";
  }
  if (accept("is"))
    return accept("not") ? "is not" : "is";
  return "";
}

Expr Parser::parse_comparison() {
  const Position position = peek().position;
  Expr first = parse_binary(0);
  std::vector<std::pair<std::string, Expr>> rest;
  for (std::string op = take_comparison_operator(); !op.empty(); op = take_comparison_operator())
    rest.emplace_back(op, parse_binary(0));
  return rest.empty() ? first : make(position, Comparison{first, std::move(rest)});
}

Expr Parser::parse_binary(int level) {
  if (level == static_cast<int>(kLevels.size()))
    return parse_unary();
  const Position position = peek().position;
  Expr left = parse_binary(level + 1);
  while (at(TokenKind::symbol)) {
    const auto &operators = kLevels[static_cast<size_t>(level)];
    const std::string op = peek().spelling;
    if (std::find(operators.begin(), operators.end(), op) == operators.end())
      break;
    take();
    left = make(position, BinaryOperation{op, left, parse_binary(level + 1)});
  }
  return left;
}

Expr Parser::parse_unary() {
  if (!at("-") && !at("+") && !at("~"))
    return parse_power();
  const DepthGuard guard(*this);
  const Token token = take();
  return make(token.position, UnaryOperation{token.spelling, parse_unary()});
}

/// -a ** -b is -(a ** (-b)).
Expr Parser::parse_power() {
  const Position position = peek().position;
  Expr base = parse_postfix();
  if (!accept("**"))
    return base;
  const DepthGuard guard(*this);
  return make(position, BinaryOperation{"**", base, parse_unary()});
}

Expr Parser::parse_postfix() {
  const Position position = peek().position;
  Expr value = parse_atom();
  while (true) {
    if (at("(")) {
      value = parse_call(value);
    } else if (at("[")) {
      value = parse_subscript(value);
    } else if (accept(".")) {
      if (!at(TokenKind::name))
        fail_here("an attribute name after '.'");
      value = make(position, AttributeExpression{value, take().spelling});
    } else {
      return value;
    }
  }
}

Expr Parser::parse_atom() {
  const Token &token = peek();
  switch (token.kind) {
  case TokenKind::integer:
    take();
    return make(token.position, Literal{token.integer});
  case TokenKind::real:
    take();
    return make(token.position, Literal{token.real});
  case TokenKind::text:
  case TokenKind::formatted_text:
    return parse_strings();
  case TokenKind::name:
    if (token.spelling == "None")
      return take(), make(token.position, Literal{NoneLiteral{}});
    if (token.spelling == "True" || token.spelling == "False")
      return take(), make(token.position, Literal{token.spelling == "True"});
    return make(token.position, NameExpression{take_name("an expression")});
  case TokenKind::symbol:
    if (at("("))
      return parse_parenthesized();
    if (at("["))
      return parse_list();
    if (at("{"))
      return parse_dict();
    if (at("..."))
      return take(), make(token.position, Literal{EllipsisLiteral{}});
    break;
  default:
    break;
  }
  fail_here("an expression");
}

/// Adjacent literals are one string; it is a formatted one when any of them is.
Expr Parser::parse_strings() {
  const Position position = peek().position;
  FormattedString joined;
  bool formatted = false;
  joined.parts.emplace_back();
  while (at(TokenKind::text) || at(TokenKind::formatted_text)) {
    const Token token = take();
    if (token.kind == TokenKind::text) {
      joined.parts.emplace_back();
      joined.parts.back().text = token.spelling;
      continue;
    }
    formatted = true;
    parse_formatted(token, joined);
  }
  if (formatted)
    return make(position, std::move(joined));
  std::string text;
  for (const FormattedPart &part : joined.parts)
    text += part.text;
  return make(position, Literal{std::move(text)});
}

/// Splits an f-string's body into text and {fields}; {{ and }} are braces.
void Parser::parse_formatted(const Token &token, FormattedString &result) {
  const std::string &body = token.spelling;
  std::string text;
  const auto flush = [&](FormattedPart part) {
    part.text = token.raw ? text : decode_escapes(script_.file, text, token.position);
    text.clear();
    result.parts.push_back(std::move(part));
  };
  for (size_t i = 0; i < body.size(); ++i) {
    const char c = body[i];
    const bool doubled = (c == '{' || c == '}') && i + 1 < body.size() && body[i + 1] == c;
    if (doubled) {
      text += c;
      ++i;
    } else if (c == '}') {
      fail(token.position, "a single '}' in this f-string");
    } else if (c == '{') {
      size_t end = i + 1;
      for (int open = 1; end < body.size(); ++end) {
        open += body[end] == '{' || body[end] == '(' || body[end] == '[' ? 1 : 0;
        open -= body[end] == '}' || body[end] == ')' || body[end] == ']' ? 1 : 0;
        if (open == 0)
          break;
      }
      if (end >= body.size())
        fail(token.position, "a '{' in this f-string is never closed");
      FormattedPart field = parse_formatted_field(token, body.substr(i + 1, end - i - 1));
      text += field.text;
      flush(std::move(field));
      i = end;
    } else {
      text += c;
    }
  }
  flush({});
}

/// Where the '=' of a field {x = } stands; 0 when it has none that is no part of an operator.
size_t named_value(const std::string &source) {
  const size_t last = source.find_last_not_of(" \t");
  if (last == std::string::npos || last == 0 || source[last] != '=')
    return 0;
  return std::string_view("=!<>").find(source[last - 1]) == std::string_view::npos ? last : 0;
}

/// {expression!r:format} without its braces.
FormattedPart Parser::parse_formatted_field(const Token &token, const std::string &field) {
  FormattedPart part;
  std::string source = field;
  bool converted = false;
  int open = 0;
  for (size_t i = 0; i < field.size(); ++i) {
    open += field[i] == '{' || field[i] == '(' || field[i] == '[' ? 1 : 0;
    open -= field[i] == '}' || field[i] == ')' || field[i] == ']' ? 1 : 0;
    const bool conversion = field[i] == '!' && i + 1 < field.size() && field[i + 1] != '=';
    if (open == 0 && (field[i] == ':' || conversion)) {
      source = field.substr(0, i);
      if (conversion) {
        part.conversion = field[i + 1];
        converted = true;
        i += 2;
      }
      if (i < field.size() && field[i] == ':')
        part.format = field.substr(i + 1);
      break;
    }
  }
  if (const size_t shown = named_value(source)) { // {x=} is x=, then its repr
    part.text = source;
    if (!converted && part.format.empty())
      part.conversion = 'r';
    source.resize(shown);
  }
  if (part.format.find('{') != std::string::npos)
    fail(token.position, "nested fields in an f-string's format are not supported");
  const DepthGuard guard(*this);
  Parser inner(script_, tokenize_expression(script_.file, source, token.position));
  inner.depth_ = depth_;
  part.expression = inner.parse_field();
  return part;
}

} // namespace sinter
