// Evaluates a model script. The evaluation is bounded (steps, recursion, sizes), touches nothing
// outside, and stands on three rules:
//  - what describes the network, its training or its data has its meaning;
//  - what has no meaning in a compiled program is skipped with one warning a line, and its result
//    is an Opaque value;
//  - an Opaque value that would decide anything is an error. Control flow that depends on one is
//    evaluated "uncertainly": nothing that matters may happen in it, and what it assigns is Opaque.
#pragma once

#include "frontend/load_model.h"
#include "frontend/native.h"
#include "frontend/value.h"
#include "ir/diagnostics.h"

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace sinter {

class KerasSession;

class Interpreter {
public:
  Interpreter(const Script &, const LoadOptions &, Diagnostics &);
  ~Interpreter();
  Interpreter(const Interpreter &) = delete;
  Interpreter &operator=(const Interpreter &) = delete;

  /// Evaluates the whole script.
  void run();
  KerasSession &keras() { return *keras_; }

  // Values.
  template <typename T, typename... Fields> T *make(Fields &&...fields) {
    auto created = std::make_shared<T>(T{std::forward<Fields>(fields)...});
    heap_.push_back(created);
    return created.get();
  }
  Value list(std::vector<Value> items);
  Value tuple(std::vector<Value> items);
  Value opaque(const std::string &origin, const SourceLocation &);
  /// The items of anything that can be iterated, but an Opaque value.
  std::vector<Value> iterate(const Value &, const SourceLocation &);
  /// Python's truth of a value; an Opaque one is an error.
  bool truth(const Value &, const SourceLocation &);
  Value call(const Value &callee, const CallArguments &, const SourceLocation &);
  /// object.name = value
  void assign_attribute(const Value &object, const std::string &name, const Value &,
                        const SourceLocation &);
  /// super(), or super(type, self).
  Value make_super(const Value &type, const Value &self, const SourceLocation &);

  /// The value under a key, or null.
  Value *find_item(Dict &, const Value &key, const SourceLocation &);
  /// dict[key] = value
  void set_item(Dict &, const Value &key, const Value &value, const SourceLocation &);

  // The bounds and the rules.
  void charge(int64_t steps, const SourceLocation &);
  /// What copying or making a text costs.
  void charge_text(const std::string &, const SourceLocation &);
  /// What copying items costs.
  void charge_items(const std::vector<Value> &, const SourceLocation &);
  /// Warns that something on this line is skipped, once a line.
  void skip(const SourceLocation &, const std::string &text);
  void warn(const SourceLocation &, const std::string &text);
  /// Throws when it is not known whether this place is reached.
  void require_certain(const SourceLocation &, std::string_view effect) const;
  /// In the body of a loop over a DataLoader, which is evaluated once for all its batches.
  bool in_batches() const { return in_batches_; }
  SourceLocation at(Position position) const { return script_.file.at(position); }

private:
  enum class Flow { next, break_loop, continue_loop, return_value };
  class DepthGuard;

  // Statements.
  Flow execute(const Block &);
  Flow execute(const Statement &);
  Flow execute_if(const If &);
  Flow execute_for(const For &, const SourceLocation &);
  Flow execute_for_batches(const For &, Opaque &loader);
  Flow execute_while(const While &, const SourceLocation &);
  Flow execute_loop_body(const Block &, bool &ended);
  void run_uncertainly(Opaque &reason, const std::function<void()> &region);
  void execute_uncertainly(const Block &, Opaque &reason);
  void execute_import(const Import &);
  void execute_import(const FromImport &, const SourceLocation &);
  void execute_augmented(const AugmentedAssignment &, const SourceLocation &);
  void execute_assert(const Assert &, const SourceLocation &);
  void execute_delete(const Delete &);
  Flow execute_with(const With &, const SourceLocation &);
  void define(const FunctionDefinition &);
  void define(const ClassDefinition &, const SourceLocation &);
  Environment *closure() const;
  void assign(Expr target, const Value &);
  void assign_elements(const std::vector<Element> &, const Value &, const SourceLocation &);
  void assign_name(const std::string &, const Value &);
  void assign_field(const Value &self, Instance &, const std::string &name, const Value &,
                    const SourceLocation &);
  void assign_subscript(const Value &object, const Value &index, const Value &,
                        const SourceLocation &);

  // Expressions.
  Value evaluate(Expr);
  Value evaluate(const Literal &, const SourceLocation &);
  Value evaluate(const FormattedString &, const SourceLocation &);
  Value evaluate(const NameExpression &, const SourceLocation &);
  Value evaluate(const ListDisplay &, const SourceLocation &);
  Value evaluate(const TupleDisplay &, const SourceLocation &);
  Value evaluate(const DictDisplay &, const SourceLocation &);
  Value evaluate(const Comprehension &, const SourceLocation &);
  Value evaluate(const UnaryOperation &, const SourceLocation &);
  Value evaluate(const BinaryOperation &, const SourceLocation &);
  Value evaluate(const Comparison &, const SourceLocation &);
  Value evaluate(const BooleanOperation &, const SourceLocation &);
  Value evaluate(const ConditionalExpression &, const SourceLocation &);
  Value evaluate(const LambdaExpression &, const SourceLocation &);
  Value evaluate(const CallExpression &, const SourceLocation &);
  Value evaluate(const AttributeExpression &, const SourceLocation &);
  Value evaluate(const SliceExpression &, const SourceLocation &);
  Value evaluate(const SubscriptExpression &, const SourceLocation &);
  std::vector<Value> evaluate_elements(const std::vector<Element> &);
  Value *find_name(const std::string &);
  bool expand(const Comprehension &, size_t clause, std::vector<std::pair<Value, Value>> &results,
              Value &unknown);

  // Calls.
  std::vector<Value> evaluate_defaults(const std::vector<Parameter> &);
  Value call_function(const Function &, const CallArguments &, const SourceLocation &);
  void bind_parameters(const Function &, const CallArguments &, Environment &,
                       const SourceLocation &);
  Value call_native(const Native &, const CallArguments &, const SourceLocation &,
                    const Value &self);
  Value call_module_name(const ModuleName &, const CallArguments &, const SourceLocation &);
  Value instantiate(Class &, const CallArguments &, const SourceLocation &);
  Value call_object(const Value &callee, const CallArguments &, const SourceLocation &);

  const Script &script_;
  const LoadOptions options_;
  Diagnostics &diagnostics_;
  std::vector<std::shared_ptr<void>> heap_;
  std::unique_ptr<KerasSession> keras_;
  Environment *globals_ = nullptr;
  Environment *locals_ = nullptr;
  Value returned_ = None{};
  const Function *running_ = nullptr; // the innermost function of the script
  Class *defining_ = nullptr;         // the class whose body runs
  int64_t steps_ = 0;
  int depth_ = 0;
  std::set<int> skipped_lines_;
  Opaque *uncertain_ = nullptr; // why it is not known whether this place is reached
  bool uncertain_loop_ = false; // the innermost loop runs an unknown number of times
  bool in_batches_ = false;
  std::vector<std::pair<Environment *, std::string>> uncertain_writes_;
};

// What the evaluator asks about values; each lives in the file of its name.

/// operators.cpp: `op` as in the syntax tree ("+", "not in").
Value binary_operation(Interpreter &, const std::string &op, const Value &left, const Value &right,
                       const SourceLocation &);
Value unary_operation(Interpreter &, const std::string &op, const Value &operand,
                      const SourceLocation &);
Value comparison(Interpreter &, const std::string &op, const Value &left, const Value &right,
                 const SourceLocation &);
/// attributes.cpp
Value attribute(Interpreter &, const Value &object, const std::string &name,
                const SourceLocation &);
/// subscripts.cpp
Value subscript(Interpreter &, const Value &object, const Value &index, const SourceLocation &);
/// [begin, end) of a slice without a step over `length` items, clamped as Python does.
std::pair<int64_t, int64_t> slice_bounds(const Slice &, int64_t length, const SourceLocation &);
/// text_format.cpp: format(value, spec), the subset of f-strings.
std::string format_value(const Value &, const std::string &spec, const SourceLocation &);

} // namespace sinter
