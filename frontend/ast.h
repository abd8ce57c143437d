// The syntax tree of a model script. Nodes are owned by their Script and refer to each other by
// plain pointers, so that a deep tree is neither built nor destroyed by recursion.
#pragma once

#include "frontend/source_file.h"

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace sinter {

struct Expression;
struct Statement;
using Expr = const Expression *;
using Block = std::vector<const Statement *>;

struct NoneLiteral {};
struct EllipsisLiteral {};
struct Literal {
  std::variant<NoneLiteral, EllipsisLiteral, bool, int64_t, double, std::string> value;
};

/// f"conv{index:02d}": literal text, then the expression (if any) with its format.
struct FormattedPart {
  std::string text;
  Expr expression = nullptr;
  char conversion = 's'; // 'r' for {x!r}
  std::string format;
};
struct FormattedString {
  std::vector<FormattedPart> parts;
};

struct NameExpression {
  std::string name;
};

/// An element of a display or an argument; `*value` when starred.
struct Element {
  Expr value;
  bool starred = false;
};
struct ListDisplay {
  std::vector<Element> elements;
};
struct TupleDisplay {
  std::vector<Element> elements;
};
struct DictDisplay {
  std::vector<std::pair<Expr, Expr>> items; // a null key unpacks the value: {**other}
};

/// `for target in iterable if condition ...`
struct ComprehensionClause {
  Expr target;
  Expr iterable;
  std::vector<Expr> conditions;
};
/// [element for ...], {key: element for ...} and, evaluated at once, (element for ...).
struct Comprehension {
  Expr key; // null but for dicts
  Expr element;
  std::vector<ComprehensionClause> clauses;
};

struct UnaryOperation {
  std::string op; // "-", "+", "~", "not"
  Expr operand;
};
struct BinaryOperation {
  std::string op;
  Expr left, right;
};
struct Comparison {
  Expr first;
  std::vector<std::pair<std::string, Expr>> rest; // "<", "not in", "is", ...
};
struct BooleanOperation {
  bool conjunction; // and, else or
  std::vector<Expr> operands;
};
struct ConditionalExpression {
  Expr condition, then, otherwise;
};

/// A def's or lambda's parameters, in order.
struct Parameter {
  enum class Kind { ordinary, variadic, keyword_only, keywords } kind = Kind::ordinary;
  std::string name;
  Expr fallback = nullptr;
  Position position;
};
struct LambdaExpression {
  std::vector<Parameter> parameters;
  Expr body;
};

struct Argument {
  std::string keyword; // "" when positional
  Expr value;
  int stars = 0; // 1: *value, 2: **value
};
struct CallExpression {
  Expr callee;
  std::vector<Argument> arguments;
};
struct AttributeExpression {
  Expr object;
  std::string name;
};
struct SliceExpression {
  Expr start, stop, step; // null when left out
};
struct SubscriptExpression {
  Expr object;
  Expr index; // may be a SliceExpression, or a TupleDisplay holding some
};

struct Expression {
  Position position;
  std::variant<Literal, FormattedString, NameExpression, ListDisplay, TupleDisplay, DictDisplay,
               Comprehension, UnaryOperation, BinaryOperation, Comparison, BooleanOperation,
               ConditionalExpression, LambdaExpression, CallExpression, AttributeExpression,
               SliceExpression, SubscriptExpression>
      node;
};

struct ExpressionStatement {
  Expr value;
};
/// a = b = value; each target is a name, attribute, subscript or a display of targets.
struct Assignment {
  std::vector<Expr> targets;
  Expr value;
};
struct AugmentedAssignment {
  Expr target;
  std::string op; // "+", not "+="
  Expr value;
};
/// import a.b as c, d
struct Import {
  struct Name {
    std::string path, alias;
    Position position;
  };
  std::vector<Name> names;
};
/// from module import a as b, c
struct FromImport {
  std::string module;
  std::vector<Import::Name> names; // one name "*" for all
};
struct If {
  Expr condition;
  Block then, otherwise;
};
struct For {
  Expr target, iterable;
  Block body, otherwise;
};
struct While {
  Expr condition;
  Block body, otherwise;
};
struct FunctionDefinition {
  std::string name;
  std::vector<Parameter> parameters;
  Block body;
  std::vector<Expr> decorators; // as written, the last is applied first
};
struct ClassDefinition {
  std::string name;
  std::vector<Argument> bases;
  Block body;
};
struct With {
  std::vector<std::pair<Expr, Expr>> items; // the target is null without `as`
  Block body;
};
struct Return {
  Expr value; // null: None
};
struct Break {};
struct Continue {};
struct Pass {};
struct Assert {
  Expr condition, message;
};
struct Raise {
  Expr value;
};
struct Delete {
  std::vector<Expr> targets;
};
/// A notebook's command line, skipped.
struct Magic {
  std::string line;
};

struct Statement {
  Position position;
  std::variant<ExpressionStatement, Assignment, AugmentedAssignment, Import, FromImport, If, For,
               While, With, FunctionDefinition, ClassDefinition, Return, Break, Continue, Pass,
               Assert, Raise, Delete, Magic>
      node;
};

/// A parsed file: the statements of the module and every node below them.
struct Script {
  SourceFile file;
  Block body;
  std::deque<Expression> expressions;
  std::deque<Statement> statements;
};

} // namespace sinter
