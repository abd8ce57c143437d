// argparse: a script's options have their defaults, as the script is read and not run; the program
// that comes out has options of its own.
#include "frontend/classes.h"
#include "frontend/interpreter.h"
#include "frontend/modules.h"

#include <algorithm>

namespace sinter {

namespace {

using Kind = ArgumentKind;

constexpr std::string_view kParser = "argparse.ArgumentParser";

/// The options that were added to a parser, by the names that they have when parsed.
Dict &options_of(const Call &call) {
  const Configured &parser = *object<Configured>(call.self);
  if (parser.type->path != kParser)
    throw CompileError(call.location, "{} has no {}()", describe(call.self), call.native.name());
  return *object<Dict>(parser.arguments["options"]);
}

Value make_parser(Interpreter &interpreter, const Call &call) {
  object<Dict>(call.arguments["options"])->items.clear(); // description= and its kin
  return interpreter.make<Configured>(&call.native, call.arguments, call.location);
}

/// "batch_size" of --batch-size, or of -b where there is no long name; "data" of a positional one.
std::string destination(const Call &call) {
  const Arguments &arguments = call.arguments;
  if (!arguments.is_none("dest"))
    return arguments.text("dest");
  std::string name;
  for (const Value &flag : arguments.items("flags")) {
    const auto *text = std::get_if<std::string>(&flag);
    if (!text)
      throw CompileError(call.location, "an option's name must be a string, got {}",
                         describe(flag));
    if (name.empty() || (text->rfind("--", 0) == 0 && name.rfind("--", 0) != 0))
      name = *text;
  }
  if (name.empty() || name.find_first_not_of('-') == std::string::npos)
    throw CompileError(call.location, "add_argument needs the option's name");
  name.erase(0, name.find_first_not_of('-'));
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

/// What the option is when nobody gives it.
Value default_of(Interpreter &interpreter, const Call &call, const std::string &name) {
  const Arguments &arguments = call.arguments;
  const std::vector<Value> &flags = arguments.items("flags");
  const bool positional = !flags.empty() && to_text(flags[0]).rfind('-', 0) != 0;
  const bool needed = positional || arguments.boolean("required");
  const Value &given = arguments["default"];
  if (needed && !arguments.given("default"))
    return interpreter.opaque(fmt::format("the command line's '{}'", name), call.location);
  const auto *action = std::get_if<std::string>(&arguments["action"]);
  if (action && !arguments.given("default") &&
      (*action == "store_true" || *action == "store_false"))
    return *action == "store_false";
  const bool converts = std::holds_alternative<std::string>(given) && !arguments.is_none("type");
  return converts ? interpreter.call(arguments["type"], {{given}, {}}, call.location) : given;
}

Value add_argument(Interpreter &interpreter, const Call &call) {
  interpreter.require_certain(call.location, "add_argument()");
  const std::string name = destination(call);
  interpreter.set_item(options_of(call), name, default_of(interpreter, call, name), call.location);
  return None{};
}

/// A group's options are the parser's.
Value add_group(Interpreter &, const Call &call) {
  options_of(call);
  return call.self;
}

Value set_defaults(Interpreter &interpreter, const Call &call) {
  interpreter.require_certain(call.location, "set_defaults()");
  for (const auto &[name, value] : object<Dict>(call.arguments["defaults"])->items)
    interpreter.set_item(options_of(call), name, value, call.location);
  return None{};
}

Value parse_args(Interpreter &interpreter, const Call &call) {
  const Dict &options = options_of(call);
  Class *type = interpreter.make<Class>();
  type->name = "Namespace";
  type->members = interpreter.make<Environment>();
  type->location = call.location;
  order_ancestors(*type);
  Instance *parsed = interpreter.make<Instance>();
  parsed->type = type;
  for (const auto &[name, value] : options.items)
    parsed->fields.emplace_back(to_text(name), value);
  if (call.native.name() == "parse_args")
    return parsed;
  return interpreter.tuple({parsed, interpreter.list({})});
}

} // namespace

const std::vector<Native> &argument_parser_natives() {
  const ArgumentSpec options = optional("options", Kind::keywords);
  const ArgumentSpec values = optional("values", Kind::rest);
  static const std::vector<Native> natives = {
      {kParser, {values, options}, make_parser},
      {"object.add_argument",
       {optional("flags", Kind::rest), optional("default", Kind::any), optional("type", Kind::any),
        optional("action", Kind::any), optional("required", Kind::boolean, Value(false)),
        optional("dest", Kind::text), options},
       add_argument},
      {"object.add_argument_group", {values, options}, add_group},
      {"object.add_mutually_exclusive_group", {values, options}, add_group},
      {"object.set_defaults", {optional("defaults", Kind::keywords)}, set_defaults},
      {"object.parse_args", {values, options}, parse_args},
      {"object.parse_known_args", {values, options}, parse_args}};
  return natives;
}

} // namespace sinter
