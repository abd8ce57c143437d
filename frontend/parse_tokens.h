// The recursive-descent parser, split between parse_expression.cpp and parse_statement.cpp.
#pragma once

#include "frontend/ast.h"
#include "frontend/lexer.h"
#include "ir/diagnostics.h"

#include <initializer_list>
#include <string_view>

namespace sinter {

class Parser {
public:
  Parser(Script &script, std::vector<Token> tokens) : script_(script), tokens_(std::move(tokens)) {}

  Block parse_module();
  /// A whole f-string field: one expression and nothing after it.
  Expr parse_field();

private:
  struct DepthGuard;

  // Tokens.
  const Token &peek(size_t ahead = 0) const;
  const Token &take();
  bool at(std::string_view spelling) const;
  bool at(TokenKind kind) const { return peek().kind == kind; }
  bool accept(std::string_view spelling);
  void expect(std::string_view spelling, const char *context);
  std::string take_name(const char *what);
  [[noreturn]] void fail(Position position, const std::string &text) const;
  [[noreturn]] void fail_here(const char *expected) const;
  Expr make(Position position, decltype(Expression::node) node);
  const Statement *make_statement(Position position, decltype(Statement::node) node);

  // Statements.
  void parse_line(Block &block);
  const Statement *parse_compound();
  const Statement *parse_simple();
  const Statement *parse_expression_statement();
  const Statement *parse_import();
  const Statement *parse_from_import();
  std::string parse_dotted_name();
  const Statement *parse_if();
  const Statement *parse_for();
  const Statement *parse_while();
  const Statement *parse_function(std::vector<Expr> decorators);
  const Statement *parse_decorated();
  const Statement *parse_with();
  const Statement *parse_class();
  const Statement *parse_delete();
  const Statement *parse_assert();
  const Statement *parse_raise();
  const Statement *parse_return();
  Block parse_block();
  Block parse_loop_body();
  Block parse_else();
  void check_target(Expr target) const;

  // Expressions, loosest binding first.
  Expr parse_expression(); // no bare tuple
  Expr parse_expression_list();
  Expr parse_target_list();
  Expr parse_lambda();
  Expr parse_disjunction();
  Expr parse_conjunction();
  Expr parse_negation();
  Expr parse_comparison();
  std::string take_comparison_operator();
  Expr parse_binary(int level);
  Expr parse_unary();
  Expr parse_power();
  Expr parse_postfix();
  Expr parse_atom();
  Expr parse_strings();
  void parse_formatted(const Token &token, FormattedString &result);
  FormattedPart parse_formatted_field(const Token &token, const std::string &field);
  Expr parse_parenthesized();
  Expr parse_list();
  Expr parse_dict();
  Element parse_element();
  std::vector<Element> parse_elements(Element first, std::string_view close);
  std::vector<ComprehensionClause> parse_clauses();
  Expr parse_call(Expr callee);
  std::vector<Argument> parse_arguments();
  Expr parse_subscript(Expr object);
  Expr parse_slice();
  std::vector<Parameter> parse_parameters(std::string_view close, bool annotated);
  Parameter parse_parameter(bool annotated);

  Script &script_;
  std::vector<Token> tokens_;
  size_t next_ = 0;
  int depth_ = 0;
  int loops_ = 0;     // around the statement at hand, within its function
  int functions_ = 0; // around the statement at hand
};

/// Reserved in Python: never a name in an expression.
bool is_keyword(const std::string &);

/// Bounds the recursion of the parser, so that no input overflows the stack.
struct Parser::DepthGuard {
  explicit DepthGuard(Parser &parser);
  ~DepthGuard() { --parser_.depth_; }
  DepthGuard(const DepthGuard &) = delete;
  DepthGuard &operator=(const DepthGuard &) = delete;

private:
  Parser &parser_;
};

} // namespace sinter
