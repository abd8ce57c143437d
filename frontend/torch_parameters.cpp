// torch.nn.Parameter: the weights that a module has without a layer.
#include "frontend/initializers.h"
#include "frontend/interpreter.h"
#include "frontend/keras_session.h"
#include "frontend/modules.h"
#include "frontend/torch_modules.h"

#include <cmath>

namespace sinter {

namespace {

using Kind = ArgumentKind;

/// nn.Parameter(torch.randn(3, 4) * 0.1): belongs to the module that it is assigned to.
Value make_parameter(Interpreter &interpreter, const Call &call) {
  interpreter.require_certain(call.location, "making a Parameter");
  const Opaque *data = object<Opaque>(call.arguments["data"]);
  if (!data || !data->start)
    throw CompileError(
        call.location,
        "a Parameter of {} is not supported: of torch.zeros, ones, full, empty, rand "
        "and randn, times numbers",
        describe(call.arguments["data"]));
  Opaque *parameter = interpreter.make<Opaque>(*data);
  parameter->origin = "a Parameter";
  parameter->location = call.location;
  parameter->parameter = kUnassigned;
  parameter->trained = call.arguments.boolean("requires_grad");
  return parameter;
}

/// torch.tensor(x), torch.from_numpy(x): a data set's array is a tensor already. A number may
/// become a Parameter.
Value make_tensor(Interpreter &interpreter, const Call &call) {
  const Value &data = call.arguments["data"];
  if (object<DataArray>(data))
    return call.arguments.is_none("dtype")
               ? data
               : interpreter.call(attribute(interpreter, data, "astype", call.location),
                                  {{call.arguments["dtype"]}, {}}, call.location);
  Opaque *tensor = interpreter.make<Opaque>(std::string(call.native.path), call.location);
  if (is_number(data))
    tensor->start = InitialValues{"constant", static_cast<float>(to_number(data))};
  return tensor;
}

/// self.register_parameter('scale', nn.Parameter(...))
Value register_parameter(Interpreter &interpreter, const Call &call) {
  interpreter.assign_attribute(call.self, call.arguments.text("name"), call.arguments["param"],
                               call.location);
  return None{};
}

/// self.register_buffer('mean', torch.zeros(3)): what training leaves as it is.
Value register_buffer(Interpreter &interpreter, const Call &call) {
  Value buffer = call.arguments["tensor"];
  if (const Opaque *data = object<Opaque>(buffer); data && data->start) {
    Opaque *kept = interpreter.make<Opaque>(*data);
    kept->origin = "a buffer";
    kept->parameter = kUnassigned;
    kept->trained = false;
    buffer = kept;
  }
  interpreter.assign_attribute(call.self, call.arguments.text("name"), buffer, call.location);
  return None{};
}

/// torch.empty(3).normal_(0, 0.02): it starts so from here on.
Value fill_example(Interpreter &interpreter, const Call &call) {
  interpreter.require_certain(call.location, "this initialisation");
  const auto number = [&](const char *name) {
    return static_cast<float>(call.arguments.number(name));
  };
  std::optional<InitialValues> &start = object<Opaque>(call.self)->start;
  if (call.native.name() == "normal_")
    start = InitialValues{"normal", number("mean"), number("std")};
  else if (call.native.name() == "uniform_")
    start = InitialValues{"uniform", number("a"), number("b")};
  else if (call.native.name() == "fill_")
    start = InitialValues{"constant", number("val")};
  else
    start = InitialValues{};
  return call.self;
}

} // namespace

Value computed_of(Interpreter &interpreter, const Value &unknown) {
  const Opaque &operand = *object<Opaque>(unknown);
  if (!operand.start && operand.parameter.empty())
    return unknown;
  Opaque *result = interpreter.make<Opaque>(operand);
  result->start.reset();
  if (!result->parameter.empty())
    result->module = nullptr;
  return result;
}

Value example_attribute(Interpreter &interpreter, Opaque &example, const std::string &name) {
  for (const char *same :
       {"float", "to", "cuda", "cpu", "clone", "detach", "data", "contiguous", "requires_grad_"})
    if (name == same)
      return &example;
  const Native *method = find_native("example." + name);
  if (method && example.start)
    return interpreter.make<BoundMethod>(&example, method);
  if (name.back() == '_' && name[0] != '_') {
    example.start.reset();
    return &example;
  }
  return computed_of(interpreter, &example);
}

Opaque *scaled_example(Interpreter &interpreter, const Opaque &example, double factor) {
  Opaque *scaled = interpreter.make<Opaque>(example);
  scaled->module = nullptr;
  scaled->parameter.clear();
  InitialValues &start = *scaled->start;
  if (std::string_view(start.initializer) == "ones")
    start = {"constant", 1, 0};
  start.a = static_cast<float>(start.a * factor);
  start.b = static_cast<float>(start.b * factor);
  if (factor < 0 && std::string_view(start.initializer) == "uniform")
    std::swap(start.a, start.b);
  if (std::string_view(start.initializer) == "normal")
    start.b = std::fabs(start.b);
  return scaled;
}

Value KerasSession::read_field(const Value &field) {
  Opaque *parameter = object<Opaque>(field);
  if (!parameter || !parameter->start || !parameter->module || scopes_.empty())
    return field;
  KerasTensor *&tensor = parameter_tensors_[parameter];
  if (tensor)
    return tensor;
  Layer &module = *parameter->module;
  const SourceLocation &location = parameter->location;
  const bool root = scopes_.front() == &module && !is_part(module, location);
  ParameterAttrs attrs;
  attrs.name = (root ? "" : module.path() + '.') + parameter->parameter;
  attrs.role = parameter->trained ? "weight" : "statistic";
  attrs.type = {ElementType::f32, parameter->shape};
  attrs.initializer = parameter->start->initializer;
  attrs.a = parameter->start->a;
  attrs.b = parameter->start->b;
  if (const auto given = module.initializers.find(parameter->parameter);
      given != module.initializers.end())
    set_initializer(attrs, given->second, location);
  tensor = append_weight(module, attrs, location);
  return tensor;
}

std::vector<Native> torch_parameter_natives() {
  const std::vector<ArgumentSpec> tensor = {
      required("data", Kind::any), optional("dtype", Kind::any), optional("device", Kind::ignored),
      optional("requires_grad", Kind::ignored), optional("pin_memory", Kind::ignored)};
  return {{"torch.tensor", tensor, make_tensor},
          {"torch.as_tensor", tensor, make_tensor},
          {"torch.from_numpy", tensor, make_tensor},
          {"torch.nn.Parameter",
           {required("data", Kind::any), optional("requires_grad", Kind::boolean, Value(true))},
           make_parameter},
          {"layer.register_parameter",
           {required("name", Kind::text), required("param", Kind::any)},
           register_parameter},
          {"layer.register_buffer",
           {required("name", Kind::text), required("tensor", Kind::any),
            optional("persistent", Kind::ignored)},
           register_buffer},
          {"example.normal_",
           {optional("mean", Kind::number, 0), optional("std", Kind::number, 1)},
           fill_example},
          {"example.uniform_",
           {optional("a", Kind::number, 0), optional("b", Kind::number, 1)},
           fill_example},
          {"example.fill_", {required("val", Kind::number)}, fill_example},
          {"example.zero_", {}, fill_example}};
}

} // namespace sinter
