#include "frontend/keras_file/config_reader.h"

#include "frontend/ends_with.h"
#include "frontend/json_text.h"
#include "frontend/modules.h"
#include "ir/diagnostics.h"

#include <algorithm>
#include <array>

namespace sinter {

namespace {

using Json = nlohmann::json;

/// Arguments that changed their names between Keras 1, 2 and 3.
constexpr std::array<std::pair<std::string_view, std::string_view>, 14> kRenamed = {{
    {"alpha", "negative_slope"},
    {"negative_slope", "alpha"},
    {"nb_filter", "filters"},
    {"subsample", "strides"},
    {"border_mode", "padding"},
    {"init", "kernel_initializer"},
    {"output_dim", "units"},
    {"bias", "use_bias"},
    {"p", "rate"},
    {"lr", "learning_rate"},
    {"gamma_init", "gamma_initializer"},
    {"beta_init", "beta_initializer"},
    {"W_regularizer", "kernel_regularizer"},
    {"b_regularizer", "bias_regularizer"},
}};

/// Entries that mean nothing to a compiled program.
constexpr std::array<std::string_view, 17> kMeaningless = {"autocast",
                                                           "batch_size",
                                                           "build_config",
                                                           "ema_momentum",
                                                           "fn",
                                                           "fused",
                                                           "implementation",
                                                           "input_dtype",
                                                           "is_legacy_optimizer",
                                                           "jit_compile",
                                                           "optional",
                                                           "quantization_config",
                                                           "registered_name",
                                                           "seed",
                                                           "shared_object_id",
                                                           "slice_concat",
                                                           "weight_decay_exclude"};

bool says_nothing(const Json &value) {
  return value.is_null() || value == false || (value.is_structured() && value.empty());
}

const ArgumentSpec *find_argument(const Native &native, std::string_view name) {
  const auto find = [&](std::string_view wanted) -> const ArgumentSpec * {
    for (const ArgumentSpec &spec : native.arguments)
      if (spec.name == wanted)
        return &spec;
    return nullptr;
  };
  if (const ArgumentSpec *spec = find(name))
    return spec;
  for (const auto &[old_name, new_name] : kRenamed)
    if (old_name == name)
      if (const ArgumentSpec *spec = find(new_name))
        return spec;
  return nullptr;
}

/// Where an argument's classes are.
std::string module_of(std::string_view argument) {
  if (argument == "learning_rate")
    return "keras.optimizers.schedules";
  for (const char *kind : {"initializer", "regularizer", "constraint", "activation"})
    if (ends_with(argument, kind))
      return fmt::format("keras.{}s", kind);
  return "keras.layers";
}

} // namespace

std::string plain_class_name(const std::string &name) { return name.substr(name.rfind('>') + 1); }

Value ConfigReader::dtype(const Json &json) {
  const std::string name =
      json.is_string() ? json.get<std::string>() : text_member(member(json, "config"), "name");
  if (name.empty() || name == "float32")
    return None{};
  for (const char *known : {"float16", "bfloat16", "float64", "mixed_float16", "mixed_bfloat16"})
    if (name == known) {
      if (widened_.insert(name).second)
        interpreter_.warn(file_, fmt::format("'{}' is computed in float32", name));
      return None{};
    }
  return name;
}

Value ConfigReader::value(const Json &json, const std::string &module) {
  if (json.is_boolean())
    return json.get<bool>();
  if (const std::optional<int64_t> whole = integer(json))
    return *whole;
  if (json.is_number())
    return json.get<double>();
  if (json.is_string())
    return json.get<std::string>();
  if (json.is_array()) {
    std::vector<Value> items;
    for (const Json &item : json)
      items.push_back(value(item, module));
    return interpreter_.list(std::move(items));
  }
  return json.is_object() ? object(json, module) : Value(None{});
}

Value ConfigReader::object(const Json &json, const std::string &module) {
  const std::string class_name = plain_class_name(text_member(json, "class_name"));
  const Json &config = member(json, "config");
  if (class_name.empty()) {
    Dict *dict = interpreter_.make<Dict>();
    for (const auto &[key, item] : json.items())
      dict->items.emplace_back(key, value(item, module));
    return dict;
  }
  if (class_name == "function") // {"class_name": "function", "config": "relu"}
    return value(config, module);
  if (class_name == "__tuple__" || class_name == "TensorShape")
    return value(member(json, "items"), module);
  if (class_name == "MeanMetricWrapper") // Keras 2: a function's name in a config
    return value(member(config, "fn"), module);
  if (module == "keras.activations") // activation=LeakyReLU(0.2)
    return activation_layer(class_name, config);
  const Native *native = find_native(canonical_path(module + "." + class_name));
  if (!native)
    throw CompileError(file_, "{}.{} is not supported", module, class_name);
  return construct(*native, config);
}

/// Those that Keras has for a single tensor, PReLU with its weights.
Value ConfigReader::activation_layer(const std::string &class_name, const Json &config) {
  for (const char *known : {"Activation", "ELU", "LeakyReLU", "PReLU", "ReLU", "Softmax"})
    if (class_name == known)
      return &layer(class_name, config);
  throw CompileError(file_, "a {} layer as an activation is not supported", class_name);
}

Value ConfigReader::argument(const ArgumentSpec &spec, const Json &json) {
  if (spec.name == "dtype")
    return dtype(json);
  Json plain = json;
  if (ends_with(spec.name, "batch_shape") || ends_with(spec.name, "batch_input_shape"))
    if (Json &extents = plain.is_object() ? plain["items"] : plain;
        extents.is_array() && !extents.empty())
      extents[0] = nullptr; // the batch is chosen when the program runs
  const bool single = plain.is_array() && plain.size() == 1;
  if (single && spec.kind == ArgumentKind::integer) // "axis": [3]
    plain = Json(plain[0]);
  return value(plain, module_of(spec.name));
}

CallArguments ConfigReader::arguments(const Native &native, const Json &config) {
  CallArguments result;
  for (const auto &[key, json] : config.items()) {
    const ArgumentSpec *spec = find_argument(native, key);
    if (!spec) {
      const bool known =
          std::find(kMeaningless.begin(), kMeaningless.end(), key) != kMeaningless.end() ||
          (key == "data_format" && json == "channels_last");
      if (known || says_nothing(json))
        continue;
      throw CompileError(file_, "{}={} is not supported", key, json.dump());
    }
    if (spec->kind == ArgumentKind::ignored || (json.is_null() && spec->fallback))
      continue;
    Value given = argument(*spec, json);
    if (!std::holds_alternative<None>(given) || !spec->fallback)
      result.keywords.emplace_back(std::string(spec->name), std::move(given));
  }
  return result;
}

Value ConfigReader::construct(const Native &native, const Json &config) {
  const CallArguments keywords = config.is_object() ? arguments(native, config) : CallArguments();
  return native.call(interpreter_, {native, bind(interpreter_, native, keywords, file_), file_});
}

Layer &ConfigReader::layer(const std::string &class_name, const Json &config) {
  const Native *native =
      find_native(canonical_path("keras.layers." + plain_class_name(class_name)));
  if (!native || native->family != Family::layer)
    throw CompileError(file_, "this layer is not supported");
  return *sinter::object<Layer>(construct(*native, config));
}

} // namespace sinter
