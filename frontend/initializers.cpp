#include "frontend/initializers.h"

#include "frontend/configured.h"
#include "frontend/keras_session.h"
#include "frontend/modules.h"
#include "ir/diagnostics.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace sinter {

namespace {

/// Keras's fans: a kernel's last two dimensions times its receptive field.
std::pair<double, double> compute_fans(const Shape &shape) {
  if (shape.empty())
    return {1, 1};
  if (shape.size() == 1)
    return {static_cast<double>(shape[0]), static_cast<double>(shape[0])};
  double field = 1;
  for (size_t i = 0; i + 2 < shape.size(); ++i)
    field *= static_cast<double>(shape[i]);
  return {field * static_cast<double>(shape[shape.size() - 2]),
          field * static_cast<double>(shape.back())};
}

struct VarianceScaling {
  double scale;
  std::string mode;
  std::string distribution;
};

/// He et al. 2015, Glorot and Bengio 2010, LeCun et al. 1998, as Keras's VarianceScaling:
/// the variance is scale / n, with n the fan that `mode` names.
void apply_scaling(ParameterAttrs &attrs, const VarianceScaling &scaling) {
  // The standard deviation of a unit normal cut off at two standard deviations.
  constexpr double kTruncatedDeviation = 0.87962566103423978;
  const auto [fan_in, fan_out] = compute_fans(attrs.type.shape);
  const double n = scaling.mode == "fan_in"    ? fan_in
                   : scaling.mode == "fan_out" ? fan_out
                                               : (fan_in + fan_out) / 2;
  const double variance = scaling.scale / std::max(1.0, n);
  if (scaling.distribution == "uniform") {
    attrs.initializer = "uniform";
    attrs.b = static_cast<float>(std::sqrt(3 * variance));
    attrs.a = -attrs.b;
    return;
  }
  const bool truncated = scaling.distribution == "truncated_normal";
  attrs.initializer = truncated ? "truncated_normal" : "normal";
  attrs.a = 0;
  attrs.b = static_cast<float>(std::sqrt(variance) / (truncated ? kTruncatedDeviation : 1));
}

struct Preset {
  std::string_view name;
  VarianceScaling scaling;
};

const std::vector<Preset> &presets() {
  static const std::vector<Preset> table = {{"GlorotUniform", {1, "fan_avg", "uniform"}},
                                            {"GlorotNormal", {1, "fan_avg", "truncated_normal"}},
                                            {"HeUniform", {2, "fan_in", "uniform"}},
                                            {"HeNormal", {2, "fan_in", "truncated_normal"}},
                                            {"LecunUniform", {1, "fan_in", "uniform"}},
                                            {"LecunNormal", {1, "fan_in", "truncated_normal"}}};
  return table;
}

void apply(ParameterAttrs &attrs, const Native &native, const Arguments &arguments,
           const SourceLocation &location) {
  const std::string_view name = native.name();
  attrs.a = 0;
  attrs.b = 0;
  for (const Preset &preset : presets())
    if (name == preset.name)
      return apply_scaling(attrs, preset.scaling);
  if (name == "VarianceScaling") {
    if (arguments.number("scale") <= 0)
      throw CompileError(location, "VarianceScaling: scale must be positive, got {}",
                         describe(arguments["scale"]));
    return apply_scaling(
        attrs, {arguments.number("scale"), arguments.text("mode"), arguments.text("distribution")});
  }
  if (name == "Orthogonal" || name == "Identity") {
    const Shape &shape = attrs.type.shape;
    if (name == "Identity" ? shape.size() != 2 : shape.size() < 2)
      throw CompileError(location, "{} needs {}, got a weight of shape {}", name,
                         name == "Identity" ? "a matrix" : "two dimensions or more", str(shape));
    attrs.initializer = name == "Identity" ? "identity" : "orthogonal";
    attrs.a = arguments.real("gain");
  } else if (name == "Zeros" || name == "Ones") {
    attrs.initializer = name == "Zeros" ? "zeros" : "ones";
  } else if (name == "Constant") {
    attrs.initializer = "constant";
    attrs.a = arguments.real("value");
  } else if (name == "RandomUniform") {
    attrs.initializer = "uniform";
    attrs.a = arguments.real("minval");
    attrs.b = arguments.real("maxval");
    if (!(attrs.a < attrs.b))
      throw CompileError(location, "RandomUniform: minval {} must be below maxval {}", attrs.a,
                         attrs.b);
  } else {
    attrs.initializer = name == "RandomNormal" ? "normal" : "truncated_normal";
    attrs.a = arguments.real("mean");
    attrs.b = arguments.real("stddev");
    if (attrs.b < 0)
      throw CompileError(location, "{}: stddev must not be negative, got {}", name, attrs.b);
  }
}

} // namespace

const Native *find_initializer(const Value &value) {
  if (const Configured *configured = object<Configured>(value))
    return configured->type->family == Family::initializer ? configured->type : nullptr;
  if (const auto *native = std::get_if<const Native *>(&value))
    return (*native)->family == Family::initializer ? *native : nullptr;
  const auto *text = std::get_if<std::string>(&value);
  if (!text)
    return nullptr;
  for (const Native &native : configuration_natives())
    if (native.family == Family::initializer &&
        (native.name() == *text || snake_case_name(native.name()) == *text))
      return &native;
  return nullptr;
}

void set_initializer(ParameterAttrs &attrs, const Value &value, const SourceLocation &location) {
  if (std::holds_alternative<None>(value)) {
    attrs.initializer = "zeros";
    return;
  }
  const Native *native = find_initializer(value);
  if (!native)
    throw CompileError(location, "unknown initializer {}", describe(value));
  const Configured *configured = object<Configured>(value);
  apply(attrs, *native, configured ? configured->arguments : default_arguments(*native), location);
}

void check_initializer(const Value &value, const SourceLocation &location) {
  ParameterAttrs matrix; // which every initializer can fill
  matrix.type.shape = {1, 1};
  set_initializer(matrix, value, location);
}

} // namespace sinter
