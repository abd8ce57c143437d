#include "frontend/modules.h"

#include "frontend/tensorflow_data.h"
#include "frontend/torch_modules.h"
#include "ir/diagnostics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

namespace sinter {

namespace {

/// Other spellings of a path, the longest prefix first where several fit.
constexpr std::pair<std::string_view, std::string_view> kAliases[] = {
    {"tensorflow.python.keras", "keras"},
    {"tensorflow.keras", "keras"},
    {"tf_keras", "keras"},
    {"keras.api", "keras"},
    {"keras.optimizers.legacy", "keras.optimizers"},
    {"keras.optimizers.experimental", "keras.optimizers"},
    {"keras.layers.experimental.preprocessing", "keras.layers"},
    {"keras.utils.np_utils", "keras.utils"},
    {"keras.Sequential", "keras.models.Sequential"},
    {"keras.Model", "keras.models.Model"},
    {"keras.Input", "keras.layers.Input"},
    {"keras.Layer", "keras.layers.Layer"},
    {"keras.engine.base_layer.Layer", "keras.layers.Layer"},
    {"keras.utils.register_keras_serializable", "keras.saving.register_keras_serializable"},
    {"keras.ops.relu", "keras.activations.relu"},
    {"keras.ops.softmax", "keras.activations.softmax"},
    {"keras.ops.sigmoid", "keras.activations.sigmoid"},
    {"keras.ops.tanh", "keras.activations.tanh"},
    {"keras.backend.relu", "keras.activations.relu"},
    {"tensorflow.nn.relu", "keras.activations.relu"},
    {"tensorflow.nn.softmax", "keras.activations.softmax"},
    {"tensorflow.nn.sigmoid", "keras.activations.sigmoid"},
    {"tensorflow.nn.tanh", "keras.activations.tanh"},
    {"tensorflow.tanh", "keras.activations.tanh"},
    {"tensorflow.sigmoid", "keras.activations.sigmoid"},
    {"tensorflow.math.tanh", "keras.activations.tanh"},
    {"tensorflow.math.sigmoid", "keras.activations.sigmoid"},
    {"tensorflow.losses", "keras.losses"},
    {"tensorflow.optimizers", "keras.optimizers"},
    {"tensorflow.metrics", "keras.metrics"},
    {"tensorflow.initializers", "keras.initializers"},
    {"tensorflow.newaxis", "numpy.newaxis"},
    {"tensorflow.nn.elu", "keras.activations.elu"},
    {"tensorflow.nn.selu", "keras.activations.selu"},
    {"tensorflow.nn.gelu", "keras.activations.gelu"},
    {"tensorflow.nn.silu", "keras.activations.silu"},
    {"tensorflow.nn.swish", "keras.activations.swish"},
    {"tensorflow.nn.relu6", "keras.activations.relu6"},
    {"tensorflow.nn.leaky_relu", "keras.activations.leaky_relu"},
    {"tensorflow.nn.softplus", "keras.activations.softplus"},
    {"tensorflow.nn.softsign", "keras.activations.softsign"},
    {"tensorflow.nn.log_softmax", "keras.activations.log_softmax"},
    {"keras.ops.elu", "keras.activations.elu"},
    {"keras.ops.selu", "keras.activations.selu"},
    {"keras.ops.silu", "keras.activations.silu"},
    {"keras.ops.relu6", "keras.activations.relu6"},
    {"keras.ops.leaky_relu", "keras.activations.leaky_relu"},
    {"keras.ops.softplus", "keras.activations.softplus"},
    {"keras.ops.softsign", "keras.activations.softsign"},
    {"keras.ops.log_softmax", "keras.activations.log_softmax"},
    {"keras.ops.hard_sigmoid", "keras.activations.hard_sigmoid"},
    {"keras.ops.hard_silu", "keras.activations.hard_silu"},
    {"tqdm.auto", "tqdm"},
    {"tqdm.autonotebook", "tqdm"},
    {"tqdm.notebook", "tqdm"},
    {"tqdm.std", "tqdm"},
    {"tqdm.tqdm_notebook", "tqdm.tqdm"},
    {"torchvision.datasets.mnist", "torchvision.datasets"},
    {"torch.utils.data.dataloader", "torch.utils.data"},
    {"tensorflow.nn.lrn", "tensorflow.nn.local_response_normalization"},
    {"tensorflow.nn.max_pool2d", "tensorflow.nn.max_pool"},
    {"tensorflow.nn.avg_pool2d", "tensorflow.nn.avg_pool"},
    {"tensorflow.math.reduce_mean", "tensorflow.reduce_mean"},
    {"tensorflow.math.reduce_sum", "tensorflow.reduce_sum"},
    {"tensorflow.math.reduce_max", "tensorflow.reduce_max"},
    {"tensorflow.math.exp", "keras.ops.exp"},
    {"tensorflow.exp", "keras.ops.exp"},
    {"tensorflow.math.log", "keras.ops.log"},
    {"tensorflow.math.sqrt", "keras.ops.sqrt"},
    {"tensorflow.sqrt", "keras.ops.sqrt"},
    {"tensorflow.math.square", "keras.ops.square"},
    {"tensorflow.square", "keras.ops.square"},
    {"tensorflow.math.abs", "keras.ops.abs"},
    {"tensorflow.abs", "keras.ops.abs"},
    {"tensorflow.math.negative", "keras.ops.negative"},
    {"tensorflow.negative", "keras.ops.negative"},
    {"tensorflow.math.maximum", "keras.ops.maximum"},
    {"tensorflow.maximum", "keras.ops.maximum"},
    {"tensorflow.math.minimum", "keras.ops.minimum"},
    {"tensorflow.minimum", "keras.ops.minimum"},
    {"tensorflow.math.add", "keras.ops.add"},
    {"tensorflow.add", "keras.ops.add"},
    {"tensorflow.math.subtract", "keras.ops.subtract"},
    {"tensorflow.subtract", "keras.ops.subtract"},
    {"tensorflow.math.multiply", "keras.ops.multiply"},
    {"tensorflow.multiply", "keras.ops.multiply"},
    {"tensorflow.math.divide", "keras.ops.divide"},
    {"tensorflow.divide", "keras.ops.divide"},
    {"tensorflow.math.pow", "keras.ops.power"},
    {"tensorflow.pow", "keras.ops.power"},
    {"tensorflow.matmul", "keras.ops.matmul"},
    {"tensorflow.linalg.matmul", "keras.ops.matmul"},
    {"keras.backend.mean", "keras.ops.mean"},
    {"keras.backend.sum", "keras.ops.sum"},
    {"keras.backend.max", "keras.ops.max"},
    {"keras.backend.exp", "keras.ops.exp"},
    {"keras.backend.log", "keras.ops.log"},
    {"keras.backend.sqrt", "keras.ops.sqrt"},
    {"keras.backend.square", "keras.ops.square"},
    {"keras.backend.abs", "keras.ops.abs"},
    {"keras.backend.maximum", "keras.ops.maximum"},
    {"keras.backend.minimum", "keras.ops.minimum"},
    {"keras.backend.reshape", "keras.ops.reshape"},
    {"keras.backend.expand_dims", "keras.ops.expand_dims"},
    {"keras.backend.squeeze", "keras.ops.squeeze"},
    {"keras.backend.concatenate", "keras.ops.concatenate"},
    {"keras.backend.clip", "keras.ops.clip"},
    {"keras.backend.pow", "keras.ops.power"},
    {"keras.backend.int_shape", "keras.ops.shape"},
    {"keras.backend.shape", "keras.ops.shape"},
    {"keras.backend.cast", "keras.ops.cast"},
    {"keras.backend.permute_dimensions", "keras.ops.transpose"},
    {"keras.backend.dot", "keras.ops.matmul"},
    {"keras.ops.absolute", "keras.ops.abs"},
    {"tensorflow.shape", "keras.ops.shape"},
};

/// Names that are the same thing under two Keras names.
constexpr std::pair<std::string_view, std::string_view> kSynonyms[] = {
    {"keras.layers.MaxPool2D", "keras.layers.MaxPooling2D"},
    {"keras.layers.AvgPool2D", "keras.layers.AveragePooling2D"},
    {"keras.layers.GlobalAvgPool2D", "keras.layers.GlobalAveragePooling2D"},
    {"keras.layers.GlobalMaxPool2D", "keras.layers.GlobalMaxPooling2D"},
    {"keras.layers.Convolution2D", "keras.layers.Conv2D"},
    {"keras.layers.Deconvolution2D", "keras.layers.Conv2DTranspose"},
    {"keras.layers.Convolution2DTranspose", "keras.layers.Conv2DTranspose"},
    {"keras.layers.Convolution1D", "keras.layers.Conv1D"},
    {"keras.layers.SeparableConvolution2D", "keras.layers.SeparableConv2D"},
    {"keras.layers.MaxPool1D", "keras.layers.MaxPooling1D"},
    {"keras.layers.AvgPool1D", "keras.layers.AveragePooling1D"},
    {"keras.layers.GlobalMaxPool1D", "keras.layers.GlobalMaxPooling1D"},
    {"keras.layers.GlobalAvgPool1D", "keras.layers.GlobalAveragePooling1D"},
    {"keras.regularizers.l1", "keras.regularizers.L1"},
    {"keras.regularizers.l2", "keras.regularizers.L2"},
    {"keras.constraints.max_norm", "keras.constraints.MaxNorm"},
    {"keras.constraints.maxnorm", "keras.constraints.MaxNorm"},
    {"keras.constraints.min_max_norm", "keras.constraints.MinMaxNorm"},
    {"keras.constraints.non_neg", "keras.constraints.NonNeg"},
    {"keras.constraints.nonneg", "keras.constraints.NonNeg"},
    {"keras.constraints.unit_norm", "keras.constraints.UnitNorm"},
    {"keras.constraints.unitnorm", "keras.constraints.UnitNorm"},
    {"keras.models.Functional", "keras.models.Model"},
    {"keras.losses.mse", "keras.losses.mean_squared_error"},
    {"keras.losses.MSE", "keras.losses.mean_squared_error"},
    {"keras.metrics.mse", "keras.metrics.mean_squared_error"},
    {"keras.metrics.mae", "keras.metrics.mean_absolute_error"},
    {"keras.losses.mae", "keras.losses.mean_absolute_error"},
    {"keras.initializers.glorot_uniform", "keras.initializers.GlorotUniform"},
    {"keras.initializers.glorot_normal", "keras.initializers.GlorotNormal"},
    {"keras.initializers.he_uniform", "keras.initializers.HeUniform"},
    {"keras.initializers.he_normal", "keras.initializers.HeNormal"},
    {"keras.initializers.lecun_uniform", "keras.initializers.LecunUniform"},
    {"keras.initializers.lecun_normal", "keras.initializers.LecunNormal"},
    {"keras.initializers.random_normal", "keras.initializers.RandomNormal"},
    {"keras.initializers.random_uniform", "keras.initializers.RandomUniform"},
    {"keras.initializers.truncated_normal", "keras.initializers.TruncatedNormal"},
    {"keras.initializers.orthogonal", "keras.initializers.Orthogonal"},
    {"keras.initializers.OrthogonalInitializer", "keras.initializers.Orthogonal"},
    {"keras.initializers.identity", "keras.initializers.Identity"},
    {"keras.initializers.IdentityInitializer", "keras.initializers.Identity"},
};

/// Modules whose names carry meaning.
constexpr std::string_view kMeaningfulModules[] = {
    "keras",        "tensorflow", "functools", "torch",   "torchvision",
    "torchsummary", "torchinfo",  "numpy",     "sklearn", "math"};

/// Modules that show, measure or store: nothing in them can change the program.
constexpr std::array<std::string_view, 53> kSkippedModules = {"IPython",
                                                              "PIL",
                                                              "__future__",
                                                              "argparse",
                                                              "collections",
                                                              "contextlib",
                                                              "copy",
                                                              "csv",
                                                              "cv2",
                                                              "dataclasses",
                                                              "datetime",
                                                              "gc",
                                                              "glob",
                                                              "google",
                                                              "gzip",
                                                              "imageio",
                                                              "inspect",
                                                              "itertools",
                                                              "json",
                                                              "logging",
                                                              "matplotlib",
                                                              "multiprocessing",
                                                              "os",
                                                              "packaging",
                                                              "pandas",
                                                              "pathlib",
                                                              "pickle",
                                                              "platform",
                                                              "plotly",
                                                              "pprint",
                                                              "psutil",
                                                              "random",
                                                              "re",
                                                              "requests",
                                                              "scipy",
                                                              "seaborn",
                                                              "shutil",
                                                              "string",
                                                              "subprocess",
                                                              "sys",
                                                              "tarfile",
                                                              "tempfile",
                                                              "tensorboard",
                                                              "textwrap",
                                                              "time",
                                                              "tqdm",
                                                              "traceback",
                                                              "typing",
                                                              "typing_extensions",
                                                              "urllib",
                                                              "wandb",
                                                              "warnings",
                                                              "zipfile"};

/// Names below meaningful modules that are skipped all the same.
constexpr std::string_view kSkippedNames[] = {"numpy",
                                              "sklearn",
                                              "keras.backend.set_image_data_format",
                                              "keras.callbacks.CSVLogger",
                                              "keras.callbacks.TensorBoard",
                                              "keras.config",
                                              "keras.mixed_precision.global_policy",
                                              "keras.utils.disable_interactive_logging",
                                              "keras.utils.get_file",
                                              "keras.utils.model_to_dot",
                                              "keras.utils.plot_model",
                                              "keras.utils.set_random_seed",
                                              "tensorflow.compat.v1.logging",
                                              "tensorflow.compat.v1.set_random_seed",
                                              "tensorflow.config",
                                              "tensorflow.executing_eagerly",
                                              "tensorflow.get_logger",
                                              "tensorflow.random.set_seed",
                                              "tensorflow.set_random_seed",
                                              "tensorflow.test",
                                              "tensorflow.version",
                                              "torch.Generator",
                                              "torch.accelerator",
                                              "torch.argmax",
                                              "torch.autograd.set_detect_anomaly",
                                              "torch.backends",
                                              "torch.cuda",
                                              "torch.device",
                                              "torch.enable_grad",
                                              "torch.inference_mode",
                                              "torch.is_grad_enabled",
                                              "torch.load",
                                              "torch.manual_seed",
                                              "torch.max",
                                              "torch.mps",
                                              "torch.no_grad",
                                              "torch.random",
                                              "torch.set_default_device",
                                              "torch.set_float32_matmul_precision",
                                              "torch.set_grad_enabled",
                                              "torch.set_num_threads",
                                              "torch.set_printoptions",
                                              "torch.use_deterministic_algorithms",
                                              "torch.utils.tensorboard",
                                              "torch.xpu",
                                              "torchvision.utils"};

constexpr std::array<std::string_view, 6> kInPlace = {"numpy.random.shuffle", "random.shuffle",
                                                      "numpy.copyto",         "numpy.put",
                                                      "numpy.place",          "numpy.putmask"};

/// `path` is `prefix` or a name below it.
bool is_below(std::string_view path, std::string_view prefix) {
  return path.compare(0, prefix.size(), prefix) == 0 &&
         (path.size() == prefix.size() || path[prefix.size()] == '.');
}

template <typename Names> bool any_above(const Names &names, std::string_view path) {
  return std::any_of(std::begin(names), std::end(names),
                     [&](std::string_view name) { return is_below(path, name); });
}

const std::map<std::string_view, const Native *> &native_index() {
  static const std::map<std::string_view, const Native *> index = [] {
    std::map<std::string_view, const Native *> natives;
    for (const auto *table :
         {&python_natives(), &sequence_natives(), &method_natives(), &array_natives(),
          &tensor_natives(), &torch_natives(), &model_natives(), &configuration_natives(),
          &layer_natives(), &argument_parser_natives(), &tensorflow_data_natives()})
      for (const Native &native : *table)
        natives.emplace(native.path, &native);
    return natives;
  }();
  return index;
}

std::string_view parent(std::string_view path) {
  const size_t dot = path.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : path.substr(0, dot);
}

} // namespace

std::string canonical_path(const std::string &path) {
  std::string result = path;
  for (const auto &[prefix, replacement] : kAliases)
    if (is_below(result, prefix))
      result = std::string(replacement) + result.substr(prefix.size());
  for (const auto &[synonym, name] : kSynonyms)
    if (result == synonym)
      result = name;
  return result;
}

const Native *find_native(std::string_view path) {
  const auto &index = native_index();
  const auto found = index.find(path);
  return found == index.end() ? nullptr : found->second;
}

Value resolve_name(const std::string &path) {
  const std::string canonical = canonical_path(path);
  if (const Native *native = find_native(canonical))
    return native;
  if (canonical == "numpy.newaxis")
    return None{};
  if (canonical == "numpy.pi" || canonical == "math.pi")
    return std::acos(-1.0);
  if (canonical == "numpy.e" || canonical == "math.e")
    return std::exp(1.0);
  return ModuleName{canonical};
}

std::vector<std::pair<std::string, Value>> module_members(const std::string &module) {
  const std::string canonical = canonical_path(module);
  std::vector<std::pair<std::string, Value>> members;
  for (const auto &[path, native] : native_index())
    if (parent(path) == canonical)
      members.emplace_back(native->name(), native);
  for (const auto &[synonym, path] : kSynonyms)
    if (parent(synonym) == canonical)
      members.emplace_back(synonym.substr(canonical.size() + 1), find_native(path));
  return members;
}

void check_module(const std::string &path, const SourceLocation &location) {
  const std::string canonical = canonical_path(path);
  if (any_above(kMeaningfulModules, canonical) || any_above(kSkippedModules, canonical))
    return;
  throw CompileError(location, "module '{}' is not known to Sinter, which runs no Python", path);
}

bool is_skipped(const std::string &path) {
  return any_above(kSkippedNames, path) || any_above(kSkippedModules, path);
}

bool changes_its_argument(const std::string &path) {
  return std::find(kInPlace.begin(), kInPlace.end(), path) != kInPlace.end();
}

bool is_pure(std::string_view path) {
  return path != "builtins.print" && (is_below(path, "builtins") || is_below(path, "numpy") ||
                                      is_below(path, "math") || is_below(path, "os"));
}

void fail_unknown_name(const std::string &path, const SourceLocation &location) {
  const std::string_view above = parent(path);
  std::vector<std::string_view> siblings;
  for (const auto &[known, native] : native_index())
    if (parent(known) == above)
      siblings.push_back(native->name());
  const std::string_view name = std::string_view(path).substr(above.empty() ? 0 : above.size() + 1);
  const std::string hint = suggestion(name, siblings);
  if (above == "keras.layers")
    throw CompileError(location, "unknown layer '{}'{}", name, hint);
  if (siblings.empty() && find_native(path) == nullptr && above.empty())
    throw CompileError(location, "the module {} cannot be called", path);
  throw CompileError(location, "{} is not supported{}", path, hint);
}

} // namespace sinter
