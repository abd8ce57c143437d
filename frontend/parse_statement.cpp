#include "frontend/parse_tokens.h"
#include "frontend/parser.h"

#include <utility>

namespace sinter {

namespace {

/// Statements that Python has and the subset has not, with what to do instead.
const char *unsupported_statement(const std::string &keyword) {
  if (keyword == "try")
    return "'try' is not supported in a model script: what would fail is an error";
  if (keyword == "global" || keyword == "nonlocal")
    return "assigning to an outer variable is not supported in a model script: return the value";
  if (keyword == "async" || keyword == "await" || keyword == "yield")
    return "coroutines and generators are not supported in a model script";
  return nullptr;
}

} // namespace

const Statement *Parser::make_statement(Position position, decltype(Statement::node) node) {
  script_.statements.push_back({position, std::move(node)});
  return &script_.statements.back();
}

Block Parser::parse_module() {
  Block block;
  while (!at(TokenKind::end))
    parse_line(block);
  return block;
}

/// One logical line: a compound statement, or simple ones between semicolons.
void Parser::parse_line(Block &block) {
  const DepthGuard guard(*this);
  if (at(TokenKind::indent))
    fail(peek().position, "this line is indented deeper than its block");
  if (const Statement *compound = parse_compound()) {
    block.push_back(compound);
    return;
  }
  do {
    if (at(TokenKind::new_line))
      break;
    block.push_back(parse_simple());
  } while (accept(";"));
  if (!at(TokenKind::new_line))
    fail_here("the end of the statement");
  take();
}

/// The compound statement at hand, or null.
const Statement *Parser::parse_compound() {
  if (at("@") && at(TokenKind::symbol))
    return parse_decorated();
  if (!at(TokenKind::name))
    return nullptr;
  if (const char *reason = unsupported_statement(peek().spelling))
    fail(peek().position, reason);
  if (at("if"))
    return parse_if();
  if (at("for"))
    return parse_for();
  if (at("while"))
    return parse_while();
  if (at("with"))
    return parse_with();
  if (at("def"))
    return parse_function({});
  if (at("class"))
    return parse_class();
  return nullptr;
}

const Statement *Parser::parse_simple() {
  const Position position = peek().position;
  if (at(TokenKind::magic))
    return make_statement(position, Magic{take().spelling});
  if (at("import"))
    return parse_import();
  if (at("from"))
    return parse_from_import();
  if (at("return"))
    return parse_return();
  if (at("del"))
    return parse_delete();
  if (at("assert"))
    return parse_assert();
  if (at("raise"))
    return parse_raise();
  if (accept("pass"))
    return make_statement(position, Pass{});
  if (at("break") || at("continue")) {
    if (loops_ == 0)
      fail(position, fmt::format("'{}' outside a loop", peek().spelling));
    return accept("break") ? make_statement(position, Break{})
                           : (take(), make_statement(position, Continue{}));
  }
  return parse_expression_statement();
}

const Statement *Parser::parse_expression_statement() {
  const Position position = peek().position;
  Expr value = parse_expression_list();
  if (accept(":")) { // an annotation says nothing here
    check_target(value);
    parse_expression();
    if (!accept("="))
      return make_statement(position, Pass{});
    return make_statement(position, Assignment{{value}, parse_expression_list()});
  }
  if (at(TokenKind::symbol) && peek().spelling.size() >= 2 && peek().spelling.back() == '=' &&
      !at("==") && !at("!=") && !at("<=") && !at(">=")) {
    const std::string op = take().spelling;
    if (op == ":=" || std::holds_alternative<TupleDisplay>(value->node) ||
        std::holds_alternative<ListDisplay>(value->node))
      fail(position, fmt::format("'{}' cannot assign here", op));
    check_target(value);
    return make_statement(
        position, AugmentedAssignment{value, op.substr(0, op.size() - 1), parse_expression_list()});
  }
  if (!at("="))
    return make_statement(position, ExpressionStatement{value});
  Assignment assignment{{}, value};
  while (accept("=")) {
    check_target(assignment.value);
    assignment.targets.push_back(assignment.value);
    assignment.value = parse_expression_list();
  }
  return make_statement(position, std::move(assignment));
}

/// Names, attributes, subscripts, and displays of such.
void Parser::check_target(Expr target) const {
  if (std::holds_alternative<NameExpression>(target->node) ||
      std::holds_alternative<AttributeExpression>(target->node) ||
      std::holds_alternative<SubscriptExpression>(target->node))
    return;
  const std::vector<Element> *elements = nullptr;
  if (const auto *tuple = std::get_if<TupleDisplay>(&target->node))
    elements = &tuple->elements;
  else if (const auto *list = std::get_if<ListDisplay>(&target->node))
    elements = &list->elements;
  if (!elements || elements->empty())
    fail(target->position, "this expression cannot be assigned to");
  int starred = 0;
  for (const Element &element : *elements) {
    check_target(element.value);
    starred += element.starred ? 1 : 0;
  }
  if (starred > 1)
    fail(target->position, "two starred names in one assignment");
}

std::string Parser::parse_dotted_name() {
  std::string path = take_name("a module name");
  while (accept("."))
    path += '.' + take_name("a module name after '.'");
  return path;
}

const Statement *Parser::parse_import() {
  const Position position = take().position;
  Import import;
  do {
    Import::Name name;
    name.position = peek().position;
    name.path = parse_dotted_name();
    if (accept("as"))
      name.alias = take_name("a name after 'as'");
    import.names.push_back(std::move(name));
  } while (accept(","));
  return make_statement(position, std::move(import));
}

const Statement *Parser::parse_from_import() {
  const Position position = take().position;
  FromImport import;
  if (at("."))
    fail(position, "relative imports are not supported in a model script");
  import.module = parse_dotted_name();
  expect("import", "after the module's name");
  if (at("*")) {
    import.names.push_back({"*", "", take().position});
    return make_statement(position, std::move(import));
  }
  const bool parenthesized = accept("(");
  do {
    if (parenthesized && at(")"))
      break;
    Import::Name name;
    name.position = peek().position;
    name.path = take_name("a name to import");
    if (accept("as"))
      name.alias = take_name("a name after 'as'");
    import.names.push_back(std::move(name));
  } while (accept(","));
  if (parenthesized)
    expect(")", "to close this import");
  if (import.names.empty())
    fail(position, "nothing is imported");
  return make_statement(position, std::move(import));
}

/// `: statements` on the same line, or an indented block.
Block Parser::parse_block() {
  expect(":", "before this block");
  Block block;
  if (!at(TokenKind::new_line)) {
    const Position position = peek().position;
    if (parse_compound() != nullptr)
      fail(position, "a compound statement cannot stand after ':' on the same line");
    parse_line(block);
    return block;
  }
  take();
  if (!at(TokenKind::indent))
    fail_here("an indented block");
  take();
  while (!at(TokenKind::dedent) && !at(TokenKind::end))
    parse_line(block);
  if (at(TokenKind::dedent))
    take();
  return block;
}

Block Parser::parse_loop_body() {
  ++loops_;
  Block body = parse_block();
  --loops_;
  return body;
}

Block Parser::parse_else() { return accept("else") ? parse_block() : Block{}; }

const Statement *Parser::parse_if() {
  const DepthGuard guard(*this); // elif chains nest
  const Position position = take().position;
  If branch{};
  branch.condition = parse_expression();
  branch.then = parse_block();
  branch.otherwise = at("elif") ? Block{parse_if()} : parse_else();
  return make_statement(position, std::move(branch));
}

const Statement *Parser::parse_for() {
  const Position position = take().position;
  For loop{};
  loop.target = parse_target_list();
  expect("in", "in this loop");
  loop.iterable = parse_expression_list();
  loop.body = parse_loop_body();
  loop.otherwise = parse_else();
  return make_statement(position, std::move(loop));
}

const Statement *Parser::parse_while() {
  const Position position = take().position;
  While loop{};
  loop.condition = parse_expression();
  loop.body = parse_loop_body();
  loop.otherwise = parse_else();
  return make_statement(position, std::move(loop));
}

/// `@decorator` lines, then the function or class that they stand before.
const Statement *Parser::parse_decorated() {
  std::vector<Expr> decorators;
  while (accept("@")) {
    decorators.push_back(parse_expression());
    if (!at(TokenKind::new_line))
      fail_here("the end of the line");
    take();
  }
  if (at("class")) // what decorates a class registers it for saving and loading
    return parse_class();
  if (!at("def"))
    fail_here("a function after its decorators");
  return parse_function(std::move(decorators));
}

const Statement *Parser::parse_with() {
  const Position position = take().position;
  With with;
  do {
    const Expr expression = parse_expression();
    const Expr target = accept("as") ? parse_postfix() : nullptr;
    if (target)
      check_target(target);
    with.items.emplace_back(expression, target);
  } while (accept(","));
  with.body = parse_block();
  return make_statement(position, std::move(with));
}

const Statement *Parser::parse_function(std::vector<Expr> decorators) {
  const Position position = take().position;
  FunctionDefinition function;
  function.decorators = std::move(decorators);
  function.name = take_name("a function name");
  expect("(", "before the parameters");
  function.parameters = parse_parameters(")", /*annotated=*/true);
  expect(")", "after the parameters");
  if (accept("->"))
    parse_expression();
  const int outer_loops = std::exchange(loops_, 0);
  ++functions_;
  function.body = parse_block();
  --functions_;
  loops_ = outer_loops;
  return make_statement(position, std::move(function));
}

const Statement *Parser::parse_class() {
  const Position position = take().position;
  ClassDefinition definition;
  definition.name = take_name("a class name");
  if (accept("(")) {
    definition.bases = parse_arguments();
    expect(")", "after the bases");
  }
  definition.body = parse_block();
  return make_statement(position, std::move(definition));
}

const Statement *Parser::parse_return() {
  const Position position = take().position;
  if (functions_ == 0)
    fail(position, "'return' outside a function");
  const bool bare = at(TokenKind::new_line) || at(";") || at(TokenKind::end);
  return make_statement(position, Return{bare ? nullptr : parse_expression_list()});
}

const Statement *Parser::parse_delete() {
  const Position position = take().position;
  Delete deletion;
  do {
    deletion.targets.push_back(parse_postfix());
    check_target(deletion.targets.back());
  } while (accept(","));
  return make_statement(position, std::move(deletion));
}

const Statement *Parser::parse_assert() {
  const Position position = take().position;
  Assert assertion{parse_expression(), nullptr};
  if (accept(","))
    assertion.message = parse_expression();
  return make_statement(position, assertion);
}

const Statement *Parser::parse_raise() {
  const Position position = take().position;
  const bool bare = at(TokenKind::new_line) || at(";") || at(TokenKind::end);
  Raise raise{bare ? nullptr : parse_expression()};
  if (accept("from"))
    parse_expression();
  return make_statement(position, raise);
}

std::unique_ptr<Script> parse_script(SourceFile file) {
  auto script = std::make_unique<Script>();
  script->file = std::move(file);
  script->body = Parser(*script, tokenize(script->file)).parse_module();
  return script;
}

} // namespace sinter
