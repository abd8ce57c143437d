#include "frontend/weights.h"

#include "frontend/binary_file.h"
#include "frontend/ends_with.h"
#include "frontend/keras_file/keras_weights.h"
#include "frontend/weight_file.h"
#include "frontend/weight_layout.h"
#include "ir/diagnostics.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fmt/ranges.h>
#include <set>
#include <sstream>

namespace sinter {

namespace {

/// One spelling of a name: '.' for '/', no ":0" at the end.
std::string normalized(std::string name) {
  if (name.size() > 2 && name.compare(name.size() - 2, 2, ":0") == 0)
    name.resize(name.size() - 2);
  for (char &c : name)
    c = c == '/' ? '.' : c;
  return name;
}

/// What other tools call a layer's parameters.
constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kOtherNames = {{
    {"kernel", "weight"},
    {"gamma", "weight"},
    {"beta", "bias"},
    {"moving_mean", "running_mean"},
    {"moving_variance", "running_var"},
}};

/// The names under which a file may hold a parameter, normalized; its own first.
std::vector<std::string> possible_names(const std::string &parameter) {
  const std::string own = normalized(parameter);
  std::vector<std::string> names{own};
  const size_t dot = own.rfind('.');
  const std::string last = own.substr(dot + 1); // all of it when there is no dot
  const std::string layer = own.substr(0, own.size() - last.size());
  for (const auto &[ours, theirs] : kOtherNames) {
    if (last == ours)
      names.push_back(layer + std::string(theirs));
    if (last == theirs)
      names.push_back(layer + std::string(ours));
  }
  return names;
}

/// The model's parameters in the order in which Keras lists a model's weights.
std::vector<const ParameterAttrs *> parameters_in_order(const Model &model) {
  std::vector<const ParameterAttrs *> result;
  std::set<const ParameterAttrs *> known;
  const auto add = [&](NodeId id) {
    const auto *parameter = &attrs<ParameterAttrs>(model.graph[id]);
    if (parameter->role != "optimizer" && known.insert(parameter).second)
      result.push_back(parameter);
  };
  for (const LayerRecord &layer : model.layers)
    for (const NodeId id : layer.parameters)
      add(id);
  for (const NodeId id : model.graph.all(OpKind::parameter))
    add(id);
  return result;
}

// ---- kinds of files ----------------------------------------------------------------------------

/// Files that hold named arrays and nothing else.
struct ArrayFormat {
  std::string_view extension;
  std::vector<NamedArray> (*read)(const SourceLocation &);
};
constexpr std::array<ArrayFormat, 9> kArrayFormats = {{
    {".npz", read_npz},
    {".safetensors", read_safetensors},
    {".pt", read_pickle},
    {".pth", read_pickle},
    {".bin", read_pickle},
    {".ckpt", read_pickle},
    {".pkl", read_pickle},
    {".pickle", read_pickle},
    {".p", read_pickle},
}};

[[noreturn]] void fail_unknown_weights(const SourceLocation &file, const std::string &extension) {
  throw CompileError(file,
                     "unknown kind of weights '{}': .safetensors, .npz, .h5, .keras, .pt, .pth and "
                     ".pkl are supported",
                     extension);
}

SourceLocation checked_file(const std::string &path) {
  const SourceLocation file{std::make_shared<const std::string>(path), 0, 0};
  require_regular_file(file);
  return file;
}

// ---- which array is which parameter ------------------------------------------------------------

/// "W12" of a book's network: 12 and whether it is a bias; nothing for other names.
std::optional<std::pair<int, bool>> book_name(const std::string &name) {
  const bool fits = name.size() >= 2 && name.size() < 6 && (name[0] == 'W' || name[0] == 'b') &&
                    name.find_first_not_of("0123456789", 1) == std::string::npos;
  if (!fits)
    return std::nullopt;
  return std::pair(std::stoi(name.substr(1)), name[0] == 'b');
}

template <typename Predicate>
bool all_named(const std::vector<NamedArray> &arrays, Predicate predicate) {
  return !arrays.empty() && std::all_of(arrays.begin(), arrays.end(), predicate);
}

bool is_book_array(const NamedArray &array) { return book_name(array.name).has_value(); }

/// Names that say nothing but an order: arr_0, arr_1 ... of numpy.savez, W1, b1, W2 ... of a book.
/// Sorted by it; false when there are other names.
bool sort_unnamed(std::vector<NamedArray> &arrays) {
  const auto is_unnamed = [](const NamedArray &array) { return array.name.rfind("arr_", 0) == 0; };
  if (all_named(arrays, is_book_array))
    std::sort(arrays.begin(), arrays.end(), [](const NamedArray &a, const NamedArray &b) {
      return *book_name(a.name) < *book_name(b.name);
    });
  else if (all_named(arrays, is_unnamed))
    std::sort(arrays.begin(), arrays.end(), [](const NamedArray &a, const NamedArray &b) {
      return std::pair(a.name.size(), a.name) < std::pair(b.name.size(), b.name);
    });
  else
    return false;
  return true;
}

using Matches = std::vector<const NamedArray *>; // one a parameter; null: there is none

class Matcher {
public:
  Matcher(std::vector<NamedArray> arrays, const WeightNames &names, const SourceLocation &file);

  Matches match(const std::vector<const ParameterAttrs *> &parameters) const;
  WeightLayout layout(const std::string &extension,
                      const std::vector<const ParameterAttrs *> &parameters,
                      const Matches &matches) const;

private:
  const NamedArray *find(const ParameterAttrs &parameter) const;
  Matches match_by_order(const std::vector<const ParameterAttrs *> &parameters) const;

  std::vector<NamedArray> arrays_;
  bool unnamed_;
  const WeightNames &names_;
  SourceLocation file_;
  std::map<std::string, const NamedArray *> index_; // by normalized name
};

Matcher::Matcher(std::vector<NamedArray> arrays, const WeightNames &names,
                 const SourceLocation &file)
    : arrays_(std::move(arrays)), unnamed_(false), names_(names), file_(file) {
  arrays_.erase(std::remove_if(arrays_.begin(), arrays_.end(),
                               [](const NamedArray &array) { // PyTorch's count of batches
                                 return ends_with(array.name, "num_batches_tracked");
                               }),
                arrays_.end());
  unnamed_ = sort_unnamed(arrays_);
  for (const NamedArray &array : arrays_)
    index_[normalized(array.name)] = &array;
}

const NamedArray *Matcher::find(const ParameterAttrs &parameter) const {
  const auto given = names_.find(parameter.name);
  const std::vector<std::string> names = given != names_.end()
                                             ? std::vector<std::string>{normalized(given->second)}
                                             : possible_names(parameter.name);
  for (const std::string &name : names)
    if (const auto found = index_.find(name); found != index_.end())
      return found->second;
  return nullptr;
}

Matches Matcher::match_by_order(const std::vector<const ParameterAttrs *> &parameters) const {
  if (arrays_.size() != parameters.size())
    throw CompileError(file_,
                       "{} arrays{}, but the model has {} parameters; --map=FILE tells which is "
                       "which",
                       arrays_.size(),
                       unnamed_ ? " without names" : ", none named as a parameter of the model",
                       parameters.size());
  Matches matches;
  for (const NamedArray &array : arrays_)
    matches.push_back(&array);
  return matches;
}

/// By name; where no name says anything, by order.
Matches Matcher::match(const std::vector<const ParameterAttrs *> &parameters) const {
  Matches matches;
  for (const ParameterAttrs *parameter : parameters)
    matches.push_back(find(*parameter));
  const bool none = std::all_of(matches.begin(), matches.end(),
                                [](const NamedArray *array) { return array == nullptr; });
  const bool by_order = none && names_.empty() && (unnamed_ || arrays_.size() == parameters.size());
  return by_order ? match_by_order(parameters) : matches;
}

/// PyTorch's files have PyTorch's layout. In others, names tell it, but only where not every array
/// has the shape that the model wants: what this compiler wrote, it wrote in its own layout.
WeightLayout Matcher::layout(const std::string &extension,
                             const std::vector<const ParameterAttrs *> &parameters,
                             const Matches &matches) const {
  if (all_named(arrays_, is_book_array))
    return WeightLayout::book;
  const bool torch_names = std::any_of(arrays_.begin(), arrays_.end(), [](const NamedArray &array) {
    return ends_with(array.name, "weight");
  });
  if (torch_names && extension != ".npz" && extension != ".safetensors")
    return WeightLayout::torch;
  bool fits = true;
  for (size_t i = 0; i < parameters.size(); ++i)
    fits = fits && matches[i] && matches[i]->array.shape == parameters[i]->type.shape;
  return fits || !torch_names ? WeightLayout::native : WeightLayout::torch;
}

std::map<std::string, WeightArray> load_arrays(const SourceLocation &file,
                                               const std::string &extension,
                                               std::vector<NamedArray> arrays, const Model &model,
                                               const WeightNames &names) {
  const std::vector<const ParameterAttrs *> parameters = parameters_in_order(model);
  const Matcher matcher(std::move(arrays), names, file);
  const Matches matches = matcher.match(parameters);
  const WeightLayout layout = matcher.layout(extension, parameters, matches);
  const std::map<std::string, Shape> images = flattened_inputs(model.graph);
  std::map<std::string, WeightArray> weights;
  std::vector<std::string> problems;
  for (size_t i = 0; i < parameters.size(); ++i) {
    const ParameterAttrs &parameter = *parameters[i];
    if (!matches[i]) {
      problems.push_back(
          fmt::format("no array for {} {}", parameter.name, str(parameter.type.shape)));
      continue;
    }
    const NamedArray &stored = *matches[i];
    if (!stored.problem.empty()) {
      problems.push_back(fmt::format("{}: {}", stored.name, stored.problem));
      continue;
    }
    const auto image = images.find(parameter.name);
    WeightArray array = stored.array;
    if (convert_layout(array, parameter, layout, image == images.end() ? Shape{} : image->second))
      weights[parameter.name] = std::move(array);
    else
      problems.push_back(fmt::format("{} has shape {}, the model needs {}", stored.name,
                                     str(stored.array.shape), str(parameter.type.shape)));
  }
  if (!problems.empty())
    throw CompileError(file, "{}", fmt::join(problems, "; "));
  return weights;
}

std::vector<const ParameterAttrs *> attributes_of(const Graph &graph,
                                                  const std::vector<NodeId> &parameters) {
  std::vector<const ParameterAttrs *> result;
  for (const NodeId id : parameters)
    result.push_back(&attrs<ParameterAttrs>(graph[id]));
  return result;
}

std::vector<WantedLayer> wanted_parts(const Graph &graph, const std::vector<LayerPart> &parts) {
  std::vector<WantedLayer> layers;
  for (const LayerPart &part : parts) {
    WantedLayer &layer = layers.emplace_back();
    layer = {part.name, part.type, attributes_of(graph, part.parameters),
             wanted_parts(graph, part.parts)};
    for (const WantedLayer &inner : layer.layers)
      layer.parameters.insert(layer.parameters.end(), inner.parameters.begin(),
                              inner.parameters.end());
  }
  return layers;
}

/// The layers of a model as Keras's weight files name them.
std::vector<WantedLayer> wanted_layers(const Model &model) {
  std::vector<WantedLayer> layers;
  for (const LayerRecord &record : model.layers)
    layers.push_back({record.name, record.type, attributes_of(model.graph, record.parameters),
                      wanted_parts(model.graph, record.parts)});
  return layers;
}

std::string trimmed(const std::string &text) {
  const size_t begin = text.find_first_not_of(" \t\r");
  const size_t end = text.find_last_not_of(" \t\r");
  return begin == std::string::npos ? "" : text.substr(begin, end - begin + 1);
}

} // namespace

WeightNames read_weight_names(const std::string &path) {
  constexpr uint64_t kMaxBytes = uint64_t{16} << 20U;
  const SourceLocation file{std::make_shared<const std::string>(path), 0, 0};
  std::istringstream stream(BinaryFile(file).read_all(kMaxBytes));
  WeightNames names;
  int number = 0;
  for (std::string line; std::getline(stream, line);) {
    ++number;
    line = trimmed(line.substr(0, line.find('#')));
    if (line.empty())
      continue;
    const size_t equals = line.find('=');
    const std::string model_name = trimmed(line.substr(0, equals));
    const std::string file_name =
        equals == std::string::npos ? "" : trimmed(line.substr(equals + 1));
    if (model_name.empty() || file_name.empty())
      throw CompileError({file.file, number, 1}, "expected model_name = file_name, got '{}'", line);
    if (!names.emplace(model_name, file_name).second)
      throw CompileError({file.file, number, 1}, "'{}' is named twice", model_name);
  }
  return names;
}

std::vector<NamedArray> read_weight_arrays(const std::string &path) {
  const SourceLocation file = checked_file(path);
  const std::string extension = std::filesystem::path(path).extension().string();
  if (is_keras_weights_extension(extension)) {
    const Hdf5Group root = read_keras_weights(file);
    std::vector<NamedArray> arrays;
    for (const auto &[name, data] : list_datasets(root))
      arrays.push_back({name, data->type, data->array, data->problem});
    return arrays;
  }
  for (const ArrayFormat &format : kArrayFormats)
    if (format.extension == extension)
      return format.read(file);
  fail_unknown_weights(file, extension);
}

std::map<std::string, WeightArray> load_weights(const std::string &path, const Model &model,
                                                const WeightNames &names) {
  const SourceLocation file = checked_file(path);
  const std::string extension = std::filesystem::path(path).extension().string();
  if (is_keras_weights_extension(extension))
    return find_keras_weights(read_keras_weights(file), wanted_layers(model), names, file);
  for (const ArrayFormat &format : kArrayFormats)
    if (format.extension == extension)
      return load_arrays(file, extension, format.read(file), model, names);
  fail_unknown_weights(file, extension);
}

bool is_native_weights(const std::string &path, const Model &model) {
  const SourceLocation file = checked_file(path);
  if (std::filesystem::path(path).extension() != ".safetensors")
    return false;
  std::map<std::string, Shape> shapes;
  for (const NamedArray &array : read_safetensors(file))
    if (array.problem.empty())
      shapes[array.name] = array.array.shape;
  const std::vector<const ParameterAttrs *> parameters = parameters_in_order(model);
  return std::all_of(parameters.begin(), parameters.end(), [&](const ParameterAttrs *parameter) {
    const auto found = shapes.find(parameter->name);
    return found != shapes.end() && found->second == parameter->type.shape;
  });
}

} // namespace sinter
