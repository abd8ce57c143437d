#include "frontend/execution_guards.h"
#include "frontend/modules.h"
#include "frontend/tensorflow_data.h"
#include "frontend/torch_modules.h"

#include <utility>

namespace sinter {

Interpreter::Flow Interpreter::execute(const Block &block) {
  for (const Statement *statement : block) {
    const Flow flow = execute(*statement);
    if (flow != Flow::next)
      return flow;
  }
  return Flow::next;
}

Interpreter::Flow Interpreter::execute(const Statement &statement) {
  const SourceLocation location = at(statement.position);
  const DepthGuard guard(*this, location);
  charge(1, location);
  const auto &node = statement.node;
  if (const auto *expression = std::get_if<ExpressionStatement>(&node)) {
    evaluate(expression->value);
  } else if (const auto *assignment = std::get_if<Assignment>(&node)) {
    const Value value = evaluate(assignment->value);
    for (Expr target : assignment->targets)
      assign(target, value);
  } else if (const auto *augmented = std::get_if<AugmentedAssignment>(&node)) {
    execute_augmented(*augmented, location);
  } else if (const auto *import = std::get_if<Import>(&node)) {
    execute_import(*import);
  } else if (const auto *from_import = std::get_if<FromImport>(&node)) {
    execute_import(*from_import, location);
  } else if (const auto *branch = std::get_if<If>(&node)) {
    return execute_if(*branch);
  } else if (const auto *for_loop = std::get_if<For>(&node)) {
    return execute_for(*for_loop, location);
  } else if (const auto *while_loop = std::get_if<While>(&node)) {
    return execute_while(*while_loop, location);
  } else if (const auto *with = std::get_if<With>(&node)) {
    return execute_with(*with, location);
  } else if (const auto *function = std::get_if<FunctionDefinition>(&node)) {
    define(*function);
  } else if (const auto *definition = std::get_if<ClassDefinition>(&node)) {
    define(*definition, location);
  } else if (const auto *result = std::get_if<Return>(&node)) {
    require_certain(location, "this 'return'");
    returned_ = result->value ? evaluate(result->value) : Value(None{});
    return Flow::return_value;
  } else if (std::holds_alternative<Break>(node)) {
    return Flow::break_loop;
  } else if (std::holds_alternative<Continue>(node)) {
    return Flow::continue_loop;
  } else if (const auto *assertion = std::get_if<Assert>(&node)) {
    execute_assert(*assertion, location);
  } else if (const auto *raise = std::get_if<Raise>(&node)) {
    if (!uncertain_)
      throw CompileError(location, "the script raises an exception here{}",
                         raise->value ? "" : " again");
  } else if (const auto *deletion = std::get_if<Delete>(&node)) {
    execute_delete(*deletion);
  } else if (const auto *magic = std::get_if<Magic>(&node)) {
    skip(location, fmt::format("the notebook command '{}' is skipped", magic->line));
  }
  return Flow::next;
}

void Interpreter::execute_augmented(const AugmentedAssignment &statement,
                                    const SourceLocation &location) {
  const Value before = evaluate(statement.target);
  const Value operand = evaluate(statement.value);
  if (List *list = object<List>(before); list && statement.op == "+") {
    require_certain(location, "a change of this list");
    for (const Value &item : iterate(operand, location)) // in place: every name of the list sees it
      list->items.push_back(item);
    return;
  }
  assign(statement.target, binary_operation(*this, statement.op, before, operand, location));
}

void Interpreter::execute_assert(const Assert &statement, const SourceLocation &location) {
  const Value condition = evaluate(statement.condition);
  if (object<Opaque>(condition) || uncertain_)
    return skip(location, "this assertion is skipped: its condition is not known when compiling");
  if (!truth(condition, location))
    throw CompileError(location, "this assertion fails{}{}", statement.message ? ": " : "",
                       statement.message ? to_text(evaluate(statement.message)) : "");
}

void Interpreter::execute_delete(const Delete &statement) {
  for (Expr target : statement.targets) {
    const auto *name = std::get_if<NameExpression>(&target->node);
    if (!name)
      throw CompileError(at(target->position), "only names can be deleted in a model script");
    require_certain(at(target->position), "this deletion");
    if (locals_->names.erase(name->name) == 0)
      throw CompileError(at(target->position), "name '{}' is not defined", name->name);
  }
}

void Interpreter::define(const FunctionDefinition &definition) {
  Function *function = make<Function>();
  function->name = definition.name;
  function->parameters = &definition.parameters;
  function->defaults = evaluate_defaults(definition.parameters);
  function->body = &definition.body;
  function->closure = closure();
  if (locals_->class_body)
    function->owner = defining_;
  Value result = function;
  for (auto decorator = definition.decorators.rbegin(); decorator != definition.decorators.rend();
       ++decorator)
    result = call(evaluate(*decorator), {{result}, {}}, at((*decorator)->position));
  assign_name(definition.name, result);
}

/// `with x as y:`, for what has no meaning in a compiled program: torch.no_grad(), a device, a
/// distribution strategy.
Interpreter::Flow Interpreter::execute_with(const With &statement, const SourceLocation &) {
  for (const auto &[expression, target] : statement.items) {
    const Value value = evaluate(expression);
    if (!object<Opaque>(value))
      throw CompileError(at(expression->position), "'with {}' is not supported", describe(value));
    if (target)
      assign(target, value);
  }
  return execute(statement.body);
}

void Interpreter::execute_import(const Import &import) {
  for (const Import::Name &name : import.names) {
    check_module(name.path, at(name.position));
    const size_t dot = name.path.find('.');
    if (!name.alias.empty())
      assign_name(name.alias, resolve_name(name.path));
    else
      assign_name(name.path.substr(0, dot), resolve_name(name.path.substr(0, dot)));
  }
}

void Interpreter::execute_import(const FromImport &import, const SourceLocation &location) {
  check_module(import.module, location);
  for (const Import::Name &name : import.names) {
    if (import.module == "__future__")
      continue;
    if (name.path == "*") {
      for (const auto &[member, value] : module_members(import.module))
        assign_name(member, value);
      continue;
    }
    assign_name(name.alias.empty() ? name.path : name.alias,
                resolve_name(import.module + '.' + name.path));
  }
}

// ---- control flow ------------------------------------------------------------------------------

Interpreter::Flow Interpreter::execute_if(const If &statement) {
  const Value condition = evaluate(statement.condition);
  Opaque *unknown = object<Opaque>(condition);
  if (!unknown)
    return execute(truth(condition, at(statement.condition->position)) ? statement.then
                                                                       : statement.otherwise);
  run_uncertainly(*unknown, [&] {
    execute_uncertainly(statement.then, *unknown);
    execute_uncertainly(statement.otherwise, *unknown);
  });
  return Flow::next;
}

/// Runs a region that is reached or not depending on an unknown value. When the outermost one
/// ends, every name that was assigned in it becomes unknown.
void Interpreter::run_uncertainly(Opaque &reason, const std::function<void()> &region) {
  if (uncertain_)
    return region();
  uncertain_ = &reason;
  region();
  uncertain_ = nullptr;
  for (const auto &[environment, name] : uncertain_writes_)
    environment->names[name] = &reason;
  uncertain_writes_.clear();
}

/// Evaluates statements of which it is not known whether, or how often, they run.
void Interpreter::execute_uncertainly(const Block &block, Opaque &reason) {
  for (const Statement *statement : block) {
    if (execute(*statement) == Flow::next)
      continue;
    if (!uncertain_loop_)
      throw CompileError(at(statement->position),
                         "how often this loop runs depends on the result of {}, which is not "
                         "known when compiling",
                         reason.origin);
  }
}

/// Runs a loop's body once; says whether the loop goes on.
Interpreter::Flow Interpreter::execute_loop_body(const Block &body, bool &ended) {
  const Flow flow = execute(body);
  ended = flow == Flow::break_loop || flow == Flow::return_value;
  return flow == Flow::return_value ? flow : Flow::next;
}

Interpreter::Flow Interpreter::execute_for(const For &loop, const SourceLocation &location) {
  Value iterable = evaluate(loop.iterable);
  if (dataset_contents(iterable)) // to look at samples
    iterable = opaque("the batches of a Dataset", location);
  if (object<Opaque>(iterable))
    iterable = computed_of(*this, iterable);
  const bool outer_loop = uncertain_loop_;
  Opaque *unknown = object<Opaque>(iterable);
  if (unknown && unknown->loader) // its batches are alike: the body runs once, for all of them
    return execute_for_batches(loop, *unknown);
  if (unknown) {
    uncertain_loop_ = true;
    run_uncertainly(*unknown, [&] {
      assign(loop.target, unknown);
      execute_uncertainly(loop.body, *unknown);
      execute_uncertainly(loop.otherwise, *unknown);
    });
    uncertain_loop_ = outer_loop;
    return Flow::next;
  }
  uncertain_loop_ = false;
  Flow flow = Flow::next;
  bool ended = false;
  for (const Value &item : iterate(iterable, location)) {
    charge(1, location);
    assign(loop.target, item);
    flow = execute_loop_body(loop.body, ended);
    if (ended)
      break;
  }
  uncertain_loop_ = outer_loop;
  return ended ? flow : execute(loop.otherwise);
}

Interpreter::Flow Interpreter::execute_for_batches(const For &loop, Opaque &loader) {
  const bool outer_loop = std::exchange(uncertain_loop_, false);
  const bool outer_batches = std::exchange(in_batches_, true);
  Opaque *batch = make<Opaque>("a batch", loader.location);
  batch->loader = loader.loader;
  assign(loop.target, batch);
  bool ended = false;
  const Flow flow = execute_loop_body(loop.body, ended);
  uncertain_loop_ = outer_loop;
  in_batches_ = outer_batches;
  return flow == Flow::return_value || ended ? flow : execute(loop.otherwise);
}

Interpreter::Flow Interpreter::execute_while(const While &loop, const SourceLocation &location) {
  const bool outer_loop = uncertain_loop_;
  bool ended = false;
  while (!ended) {
    charge(1, location);
    const Value condition = evaluate(loop.condition);
    if (Opaque *unknown = object<Opaque>(condition)) {
      uncertain_loop_ = true;
      run_uncertainly(*unknown, [&] { execute_uncertainly(loop.body, *unknown); });
      uncertain_loop_ = outer_loop;
      return Flow::next;
    }
    if (!truth(condition, location))
      return execute(loop.otherwise);
    uncertain_loop_ = false;
    const Flow flow = execute_loop_body(loop.body, ended);
    uncertain_loop_ = outer_loop;
    if (flow == Flow::return_value)
      return flow;
  }
  return Flow::next;
}

} // namespace sinter
