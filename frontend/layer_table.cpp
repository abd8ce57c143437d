#include "frontend/layer_table.h"

#include "frontend/configured.h"
#include "frontend/constraints.h"
#include "frontend/interpreter.h"
#include "frontend/keras_session.h"
#include "frontend/modules.h"
#include "frontend/regularizers.h"
#include "frontend/torch_modules.h"

#include <algorithm>

namespace sinter {

NodeId LayerBuilder::append(OpKind kind, std::vector<NodeId> inputs, Attrs attrs) {
  return graph_.append(kind, std::move(inputs), std::move(attrs), layer_.path(), location_);
}

NodeId LayerBuilder::constant(const Shape &shape, float value) {
  return constant(shape, std::vector<float>{value});
}

NodeId LayerBuilder::constant(const Shape &shape, std::vector<float> values) {
  return append(OpKind::constant, {}, ConstantAttrs{std::move(values), {ElementType::f32, shape}});
}

NodeId LayerBuilder::reshape(NodeId x, const Shape &shape) {
  return append(OpKind::reshape, {x}, ReshapeAttrs{shape});
}

/// The next parameter of a layer that was called before, or none.
NodeId LayerBuilder::existing_parameter(const std::string &name, const Shape &shape) {
  if (next_parameter_ == layer_.parameters.size())
    return {};
  const NodeId existing = layer_.parameters[next_parameter_++];
  if (this->shape(existing) != shape)
    fail("was built with {} of shape {}, this call needs {}", name, str(this->shape(existing)),
         str(shape));
  return existing;
}

NodeId LayerBuilder::make_parameter(const std::string &name, ParameterAttrs attrs) {
  attrs.name = layer_.path() + (is_torch_module(layer_) ? '.' : '/') + name;
  const Shape &shape = attrs.type.shape;
  if (!checked_element_count(shape))
    fail("needs {} of shape {}, beyond the limit of {} elements", name, str(shape), kMaxElements);
  layer_.parameters.push_back(append(OpKind::parameter, {}, attrs));
  ++next_parameter_;
  return layer_.parameters.back();
}

NodeId LayerBuilder::parameter(const std::string &name, const Shape &shape,
                               const Value &initializer, const std::string &role,
                               const std::string &family) {
  if (const NodeId existing = existing_parameter(name, shape); existing.valid())
    return existing;
  ParameterAttrs attrs;
  attrs.role = role;
  attrs.type = {ElementType::f32, shape};
  if (checked_element_count(shape))
    set_initializer(attrs, initializer, location_);
  const std::string constraint = (family.empty() ? name : family) + "_constraint";
  if (arguments().has(constraint))
    set_constraint(attrs, arguments()[constraint], location_);
  const NodeId made = make_parameter(name, attrs);
  const std::string regularizer = (family.empty() ? name : family) + "_regularizer";
  if (arguments().has(regularizer) && !arguments().is_none(regularizer))
    penalize(made, find_penalty(arguments()[regularizer], location_));
  return made;
}

NodeId LayerBuilder::parameter(const std::string &name, const Shape &shape,
                               const InitialValues &initial, const std::string &role) {
  if (const NodeId existing = existing_parameter(name, shape); existing.valid())
    return existing;
  ParameterAttrs attrs;
  attrs.role = role;
  attrs.type = {ElementType::f32, shape};
  attrs.initializer = initial.initializer;
  attrs.a = initial.a;
  attrs.b = initial.b;
  return make_parameter(name, attrs);
}

NodeId LayerBuilder::add_bias(NodeId y, int64_t channels) {
  if (!arguments().boolean("use_bias"))
    return y;
  return append(OpKind::bias_add,
                {y, parameter("bias", {channels}, arguments()["bias_initializer"])});
}

NodeId LayerBuilder::random_uniform(const Shape &shape) {
  if (!rng_.valid())
    rng_ = graph_.append(OpKind::input, {}, InputAttrs{"rng", "rng", {ElementType::i32, {4}}});
  return append(OpKind::random_uniform, {rng_}, RandomUniformAttrs{0, shape});
}

void LayerBuilder::require_rank(NodeId x, int rank, const char *meaning) const {
  if (type(x).rank() != rank)
    fail("expects {}, got {}", meaning, str(shape(x)));
}

// ---- the table ---------------------------------------------------------------------------------

const std::vector<LayerType> &layer_types() {
  static const std::vector<LayerType> types = [] {
    std::vector<LayerType> all;
    for (auto *family : {activation_layers, augmentation_layers, border_layers, convolution_layers,
                         core_layers, dropout_layers, merge_layers, normalization_layers,
                         pooling_layers, shape_layers, tensor_layers, torch_layers})
      for (LayerType &type : family()) {
        type.native.call = construct_layer;
        type.native.family = Family::layer;
        all.push_back(std::move(type));
      }
    for (LayerType &type : all) // `all` becomes `types` by elision or move: its elements stay put
      type.native.layer = &type;
    return all;
  }();
  return types;
}

const LayerType &layer_type(std::string_view path) {
  for (const LayerType &type : layer_types())
    if (type.native.path == path)
      return type;
  SINTER_UNREACHABLE("no layer {}", path);
}

const std::vector<Native> &layer_natives() {
  static const std::vector<Native> natives = [] {
    std::vector<Native> result;
    for (const LayerType &type : layer_types())
      result.push_back(type.native);
    return result;
  }();
  return natives;
}

ArgumentSpec data_format_argument() {
  return {"data_format", ArgumentKind::choice, Value(None{}), "channels_last|channels_first"};
}

std::vector<ArgumentSpec> kernel_and_bias_arguments() {
  using Kind = ArgumentKind;
  return {optional("use_bias", Kind::boolean, Value(true)),
          optional("kernel_initializer", Kind::initializer, "glorot_uniform"),
          optional("bias_initializer", Kind::initializer, "zeros"),
          optional("kernel_regularizer", Kind::regularizer),
          optional("bias_regularizer", Kind::regularizer),
          optional("activity_regularizer", Kind::regularizer),
          optional("kernel_constraint", Kind::constraint),
          optional("bias_constraint", Kind::constraint)};
}

std::vector<ArgumentSpec> joined(const std::vector<std::vector<ArgumentSpec>> &lists) {
  std::vector<ArgumentSpec> arguments;
  for (const std::vector<ArgumentSpec> &list : lists)
    arguments.insert(arguments.end(), list.begin(), list.end());
  return with_common_arguments(std::move(arguments));
}

std::vector<ArgumentSpec> with_common_arguments(std::vector<ArgumentSpec> arguments) {
  using Kind = ArgumentKind;
  const auto add = [&](ArgumentSpec spec) {
    const bool own = std::any_of(arguments.begin(), arguments.end(),
                                 [&](const ArgumentSpec &s) { return s.name == spec.name; });
    if (!own)
      arguments.push_back(std::move(spec));
  };
  add(optional("name", Kind::text));
  add(optional("trainable", Kind::boolean, Value(true)));
  add(optional("dtype", Kind::any));
  add(optional("input_shape", Kind::any));
  add(optional("batch_input_shape", Kind::any));
  add(optional("input_dim", Kind::positive));
  return arguments;
}

namespace {

void check_dtype(const Call &call) {
  const Value &dtype = call.arguments["dtype"];
  const auto *text = std::get_if<std::string>(&dtype);
  const auto *module = std::get_if<ModuleName>(&dtype);
  const bool f32 = std::holds_alternative<None>(dtype) || (text && *text == "float32") ||
                   (module && module->path == "tensorflow.float32");
  const auto *native = std::get_if<const Native *>(&dtype);
  if (!f32 && !(native && (*native)->path == "numpy.float32"))
    throw CompileError(call.location, "{} does not support dtype={} yet", call.native.name(),
                       describe(dtype));
}

} // namespace

Value construct_layer(Interpreter &interpreter, const Call &call) {
  interpreter.require_certain(call.location, fmt::format("making a {}", call.native.name()));
  if (call.native.path.rfind("torch.", 0) == 0)
    return interpreter.keras().make_layer(*call.native.layer, call.arguments, call.location);
  check_dtype(call);
  for (const ArgumentSpec &spec : call.native.arguments) {
    const Value &value = call.arguments[spec.name];
    if (spec.kind == ArgumentKind::activation && !is_called_activation(value))
      find_activation(value, call.location);
    if (spec.kind == ArgumentKind::constraint)
      find_configured(value, Family::constraint, call.location);
    if (spec.kind == ArgumentKind::regularizer)
      find_penalty(value, call.location);
    if (spec.kind == ArgumentKind::initializer)
      check_initializer(value, call.location);
  }
  return interpreter.keras().make_layer(*call.native.layer, call.arguments, call.location);
}

Shape shape_from_value(const Value &value, bool with_batch, const SourceLocation &location) {
  if (const Opaque *unknown = object<Opaque>(value))
    fail_unknown(*unknown, location, "an input shape");
  const std::vector<Value> *items = sequence_items(value);
  const std::vector<Value> dims = items ? *items : std::vector<Value>{value};
  Shape shape{kBatch};
  for (size_t i = 0; i < dims.size(); ++i) {
    if (with_batch && i == 0) {
      if (!std::holds_alternative<None>(dims[0]))
        throw CompileError(location,
                           "the batch must be None in {}: it is chosen when the program "
                           "runs",
                           describe(value));
      continue;
    }
    const auto *extent = std::get_if<int64_t>(&dims[i]);
    if (!extent || *extent < 1)
      throw CompileError(location, "an input shape must have positive extents, got {}",
                         describe(value));
    shape.push_back(*extent);
  }
  if (shape.size() < 2 || shape.size() > 6)
    throw CompileError(location, "an input of {} dimensions is not supported: {}", shape.size() - 1,
                       describe(value));
  if (!checked_element_count(shape))
    throw CompileError(location, "the input shape {} has more than {} elements", str(shape),
                       kMaxElements);
  return shape;
}

} // namespace sinter
