// Displays, comprehensions, calls, subscripts and parameter lists.
#include "frontend/parse_tokens.h"

namespace sinter {

Element Parser::parse_element() {
  const bool starred = accept("*");
  return {parse_expression(), starred};
}

/// The rest of a display whose first element is read; stops before `close`, or, when that is
/// empty, where no further element can start.
std::vector<Element> Parser::parse_elements(Element first, std::string_view close) {
  std::vector<Element> elements{first};
  const auto ends = [&] {
    if (!close.empty())
      return at(close);
    return at(TokenKind::new_line) || at(TokenKind::end) || at("=") || at(")") || at("]") ||
           at(";") || at(":");
  };
  while (accept(",")) {
    if (ends())
      break;
    elements.push_back(parse_element());
  }
  return elements;
}

Expr Parser::parse_parenthesized() {
  const Position position = take().position;
  if (accept(")"))
    return make(position, TupleDisplay{});
  const Element first = parse_element();
  if (at("for")) {
    std::vector<ComprehensionClause> clauses = parse_clauses();
    expect(")", "after this generator");
    return make(position, Comprehension{nullptr, first.value, std::move(clauses)});
  }
  if (!at(",")) {
    if (first.starred)
      fail(position, "a starred expression stands only in a list");
    expect(")", "to close this parenthesis");
    return first.value;
  }
  std::vector<Element> elements = parse_elements(first, ")");
  expect(")", "to close this tuple");
  return make(position, TupleDisplay{std::move(elements)});
}

Expr Parser::parse_list() {
  const Position position = take().position;
  if (accept("]"))
    return make(position, ListDisplay{});
  const Element first = parse_element();
  if (at("for")) {
    if (first.starred)
      fail(position, "a comprehension cannot unpack its elements");
    std::vector<ComprehensionClause> clauses = parse_clauses();
    expect("]", "after this comprehension");
    return make(position, Comprehension{nullptr, first.value, std::move(clauses)});
  }
  std::vector<Element> elements = parse_elements(first, "]");
  expect("]", "to close this list");
  return make(position, ListDisplay{std::move(elements)});
}

Expr Parser::parse_dict() {
  const Position position = take().position;
  DictDisplay dict;
  while (!at("}")) {
    if (accept("**")) {
      dict.items.emplace_back(nullptr, parse_expression());
    } else {
      Expr key = parse_expression();
      if (at(",") || at("}"))
        fail(position, "sets are not supported in a model script");
      expect(":", "after a key of this dict");
      Expr value = parse_expression();
      if (at("for") && dict.items.empty()) {
        std::vector<ComprehensionClause> clauses = parse_clauses();
        expect("}", "after this comprehension");
        return make(position, Comprehension{key, value, std::move(clauses)});
      }
      dict.items.emplace_back(key, value);
    }
    if (!accept(","))
      break;
  }
  expect("}", "to close this dict");
  return make(position, std::move(dict));
}

std::vector<ComprehensionClause> Parser::parse_clauses() {
  std::vector<ComprehensionClause> clauses;
  while (accept("for")) {
    ComprehensionClause clause;
    clause.target = parse_target_list();
    expect("in", "in this comprehension");
    clause.iterable = parse_disjunction();
    while (accept("if"))
      clause.conditions.push_back(parse_disjunction());
    clauses.push_back(std::move(clause));
  }
  return clauses;
}

Expr Parser::parse_call(Expr callee) {
  take();
  CallExpression call{callee, parse_arguments()};
  expect(")", "to close this call");
  return make(callee->position, std::move(call));
}

/// The arguments of a call (or the bases of a class), up to the closing parenthesis.
std::vector<Argument> Parser::parse_arguments() {
  std::vector<Argument> arguments;
  while (!at(")")) {
    Argument argument;
    const Position position = peek().position;
    if (at(TokenKind::name) && peek(1).kind == TokenKind::symbol && peek(1).spelling == "=") {
      argument.keyword = take_name("an argument name");
      take();
    } else if (accept("*")) {
      argument.stars = 1;
    } else if (accept("**")) {
      argument.stars = 2;
    } else if (!arguments.empty() &&
               (!arguments.back().keyword.empty() || arguments.back().stars == 2)) {
      fail(position, "a positional argument follows a keyword argument");
    }
    argument.value = parse_expression();
    if (at("for") && argument.keyword.empty() && argument.stars == 0)
      argument.value = make(position, Comprehension{nullptr, argument.value, parse_clauses()});
    arguments.push_back(std::move(argument));
    if (!accept(","))
      break;
  }
  return arguments;
}

Expr Parser::parse_subscript(Expr object) {
  take();
  const Position position = peek().position;
  std::vector<Element> elements;
  bool tuple = false;
  do {
    if (at("]"))
      break;
    elements.push_back({parse_slice(), false});
    tuple = tuple || at(",");
  } while (accept(","));
  if (elements.empty())
    fail_here("an index");
  expect("]", "to close this subscript");
  Expr index = tuple ? make(position, TupleDisplay{std::move(elements)}) : elements[0].value;
  return make(object->position, SubscriptExpression{object, index});
}

Expr Parser::parse_slice() {
  const Position position = peek().position;
  SliceExpression slice{nullptr, nullptr, nullptr};
  if (!at(":"))
    slice.start = parse_expression();
  if (!accept(":"))
    return slice.start;
  const auto ends = [&] { return at(":") || at(",") || at("]"); };
  if (!ends())
    slice.stop = parse_expression();
  if (accept(":") && !ends())
    slice.step = parse_expression();
  return make(position, slice);
}

std::vector<Parameter> Parser::parse_parameters(std::string_view close, bool annotated) {
  std::vector<Parameter> parameters;
  bool keyword_only = false;
  while (!at(close)) {
    if (at("/"))
      fail(peek().position, "positional-only parameters are not supported in a model script");
    if (at("*") && peek(1).kind == TokenKind::symbol && peek(1).spelling == ",") {
      take();
      keyword_only = true;
    } else {
      Parameter parameter = parse_parameter(annotated);
      if (keyword_only && parameter.kind == Parameter::Kind::ordinary)
        parameter.kind = Parameter::Kind::keyword_only;
      keyword_only = keyword_only || parameter.kind == Parameter::Kind::variadic;
      for (const Parameter &other : parameters)
        if (other.name == parameter.name)
          fail(parameter.position, fmt::format("two parameters named '{}'", parameter.name));
      if (!parameters.empty() && parameters.back().kind == Parameter::Kind::keywords)
        fail(parameter.position, "no parameter can follow the keyword parameters");
      if (parameter.kind == Parameter::Kind::ordinary && !parameter.fallback &&
          !parameters.empty() && parameters.back().fallback)
        fail(parameter.position, fmt::format("parameter '{}' without a default follows one with a "
                                             "default",
                                             parameter.name));
      parameters.push_back(std::move(parameter));
    }
    if (!accept(","))
      break;
  }
  return parameters;
}

Parameter Parser::parse_parameter(bool annotated) {
  Parameter parameter;
  parameter.position = peek().position;
  if (accept("**"))
    parameter.kind = Parameter::Kind::keywords;
  else if (accept("*"))
    parameter.kind = Parameter::Kind::variadic;
  parameter.name = take_name("a parameter name");
  if (annotated && accept(":"))
    parse_expression();
  if (accept("=")) {
    if (parameter.kind != Parameter::Kind::ordinary)
      fail(parameter.position, "a starred parameter has no default");
    parameter.fallback = parse_expression();
  }
  return parameter;
}

} // namespace sinter
