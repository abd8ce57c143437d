// Leaves: what the program feeds, what persists, and constants.

#include "ir/ops/rules.h"

#include <algorithm>
#include <initializer_list>
#include <string_view>

namespace sinter {

namespace {

bool one_of(std::string_view value, std::initializer_list<std::string_view> choices) {
  return std::find(choices.begin(), choices.end(), value) != choices.end();
}

TensorType input_type(const TypeContext &context) {
  const auto &attrs = context.attrs<InputAttrs>();
  const TensorType &type = attrs.type;
  require(context, one_of(attrs.role, {"data", "label", "rng", "learning_rate", "step"}),
          "\"{}\" has unknown role \"{}\"", attrs.name, attrs.role);
  require_countable(context, type.shape, "shape");
  require(context, !type.blocked(), "\"{}\" expects row-major storage, got {}", attrs.name,
          type.str());
  require(context, !attrs.channels_first || type.rank() == 4,
          "\"{}\" expects pictures of shape [N,C,H,W], got {}", attrs.name, type.str());
  if (attrs.role == "rng")
    require(context, type == TensorType{ElementType::i32, {4}, 0}, "\"{}\" expects i32[4], got {}",
            attrs.name, type.str());
  if (attrs.role == "learning_rate" || attrs.role == "step")
    require(context, type == TensorType{}, "\"{}\" expects f32[], got {}", attrs.name, type.str());
  return type;
}

void require_constraint(const TypeContext &context) {
  const auto &attrs = context.attrs<ParameterAttrs>();
  require(context,
          one_of(attrs.constraint, {"", "non_neg", "unit_norm", "max_norm", "min_max_norm"}),
          "\"{}\" has unknown constraint \"{}\"", attrs.name, attrs.constraint);
  const bool has_norms = !attrs.constraint.empty() && attrs.constraint != "non_neg";
  require(context, attrs.norm_axes.empty() != has_norms,
          "\"{}\" with constraint \"{}\" has {} axes of norms", attrs.name, attrs.constraint,
          attrs.norm_axes.size());
  int64_t least = 0;
  for (int64_t axis : attrs.norm_axes) {
    require(context, axis >= least && axis < attrs.type.rank(),
            "\"{}\" of shape {} has norms over the axes {}", attrs.name, str(attrs.type.shape),
            str(attrs.norm_axes));
    least = axis + 1;
  }
  require(context, attrs.norm_axes.empty() || !attrs.type.blocked(),
          "\"{}\" of type {} has norms, which need row-major storage", attrs.name,
          attrs.type.str());
}

TensorType parameter_type(const TypeContext &context) {
  const auto &attrs = context.attrs<ParameterAttrs>();
  const TensorType &type = attrs.type;
  require(context, one_of(attrs.role, {"weight", "statistic", "optimizer", "prepared"}),
          "\"{}\" has unknown role \"{}\"", attrs.name, attrs.role);
  require(context,
          one_of(attrs.initializer, {"zeros", "ones", "constant", "uniform", "normal",
                                     "truncated_normal", "identity", "orthogonal"}),
          "\"{}\" has unknown initializer \"{}\"", attrs.name, attrs.initializer);
  require(context, attrs.initializer != "identity" || type.rank() == 2,
          "\"{}\" of shape {} starts as an identity, which is a matrix", attrs.name,
          str(type.shape));
  require(context, attrs.initializer != "orthogonal" || type.rank() >= 2,
          "\"{}\" of shape {} starts orthogonal, which takes two dimensions", attrs.name,
          str(type.shape));
  require(context, !type.batched(), "\"{}\" has a batch dimension in shape {}", attrs.name,
          str(type.shape));
  require_countable(context, type.shape, "shape");
  const bool pairs = attrs.role == "prepared" && type.element == ElementType::i32; // of bf16
  require(context, type.element == ElementType::f32 || pairs, "\"{}\" expects f32, got {}",
          attrs.name, type.str());
  require(context, type.block >= 0 && (!type.blocked() || type.rank() > 0),
          "\"{}\" has storage block {} in a shape of {} dimensions", attrs.name, type.block,
          type.rank());
  if (type.blocked())
    require_countable(context, type.storage_shape(), "blocked storage");
  require_constraint(context);
  return type;
}

TensorType constant_type(const TypeContext &context) {
  const auto &attrs = context.attrs<ConstantAttrs>();
  const TensorType &type = attrs.type;
  require(context, !type.batched() && !type.blocked(), "expects a static row-major type, got {}",
          type.str());
  require_countable(context, type.shape, "shape");
  const auto count = static_cast<int64_t>(attrs.values.size());
  require(context, count == 1 || count == type.elements(), "of type {} expects {} values, got {}",
          type.str(), type.elements(), count);
  return type;
}

} // namespace

const OpDef ops::input = {
    "a value that the program feeds: data, labels, the rng key, the learning rate or the step",
    R"(%0 = input {name="x", type=f32[N,28,28,1]} : f32[N,28,28,1])",
    /*min_inputs=*/0,
    /*max_inputs=*/0,
    {OpClass::leaf},
    input_type,
    /*gradient=*/nullptr,
    /*compute=*/nullptr,
    no_cost,
};

const OpDef ops::parameter = {
    "a persistent tensor: a weight, a moving statistic or optimizer state",
    R"(%0 = parameter {name="kernel", initializer="uniform", a=-0.5, b=0.5, type=f32[3,3,1,32]} : f32[3,3,1,32])",
    /*min_inputs=*/0,
    /*max_inputs=*/0,
    {OpClass::leaf},
    parameter_type,
    /*gradient=*/nullptr,
    /*compute=*/nullptr,
    no_cost,
};

const OpDef ops::constant = {
    "a literal tensor; a single value fills it",
    R"(%0 = constant {values=[1,2.5,-3], type=f32[3]} : f32[3])",
    /*min_inputs=*/0,
    /*max_inputs=*/0,
    {OpClass::leaf},
    constant_type,
    /*gradient=*/nullptr,
    /*compute=*/nullptr,
    no_cost,
};

} // namespace sinter
