#include "frontend/keras_file/keras_weights.h"

#include "frontend/archive.h"
#include "frontend/ends_with.h"
#include "frontend/keras_session.h"
#include "ir/diagnostics.h"

#include <algorithm>
#include <fmt/ranges.h>

namespace sinter {

namespace {

struct StoredArray {
  std::string name; // "kernel:0", or "0" in Keras 3's files
  const Hdf5Dataset *data;
};

/// "kernel" of "dense/kernel:0".
std::string weight_name(const std::string &path) {
  const std::string last = path.substr(path.rfind('/') + 1);
  return last.substr(0, last.find(':'));
}

/// A list that Keras splits over "layer_names0", "layer_names1" ... where one would be too long for
/// an HDF5 attribute.
std::vector<std::string> list_attribute(const Hdf5Group &group, const std::string &name) {
  const auto whole = group.attributes.find(name);
  if (whole != group.attributes.end())
    return whole->second;
  std::vector<std::string> items;
  for (int chunk = 0;; ++chunk) {
    const auto part = group.attributes.find(fmt::format("{}{}", name, chunk));
    if (part == group.attributes.end())
      return items;
    items.insert(items.end(), part->second.begin(), part->second.end());
  }
}

class WeightFinder {
public:
  void layer(const WantedLayer &layer, std::vector<StoredArray> arrays);
  void give(const ParameterAttrs &parameter, const Hdf5Dataset &data);
  void problem(const std::string &text) { problems_.push_back(text); }
  std::map<std::string, WeightArray> finish(const SourceLocation &file);

private:
  bool give_by_name(const std::vector<const ParameterAttrs *> &parameters,
                    const std::vector<StoredArray> &arrays);

  std::map<std::string, WeightArray> weights_;
  std::vector<std::string> problems_;
};

void WeightFinder::give(const ParameterAttrs &parameter, const Hdf5Dataset &data) {
  if (!data.problem.empty())
    problem(fmt::format("{}: {}", parameter.name, data.problem));
  else if (data.array.shape != parameter.type.shape)
    problem(fmt::format("{} has shape {}, the model needs {}", parameter.name,
                        str(data.array.shape), str(parameter.type.shape)));
  else
    weights_[parameter.name] = data.array;
}

/// By name where the file has names and they all fit.
bool WeightFinder::give_by_name(const std::vector<const ParameterAttrs *> &parameters,
                                const std::vector<StoredArray> &arrays) {
  std::vector<const StoredArray *> found;
  const auto find = [&](auto same) {
    found.clear();
    for (const ParameterAttrs *parameter : parameters) {
      std::vector<const StoredArray *> hits;
      for (const StoredArray &array : arrays)
        if (same(*parameter, array))
          hits.push_back(&array);
      if (hits.size() != 1)
        return false;
      found.push_back(hits[0]);
    }
    return true;
  };
  const auto whole = [](const ParameterAttrs &parameter, const StoredArray &array) {
    return parameter.name == array.name.substr(0, array.name.find(':'));
  };
  const auto last = [](const ParameterAttrs &parameter, const StoredArray &array) {
    return weight_name(parameter.name) == weight_name(array.name);
  };
  if (arrays.size() != parameters.size() || (!find(whole) && !find(last)))
    return false;
  for (size_t i = 0; i < parameters.size(); ++i)
    give(*parameters[i], *found[i]->data);
  return true;
}

void WeightFinder::layer(const WantedLayer &layer, std::vector<StoredArray> arrays) {
  if (give_by_name(layer.parameters, arrays))
    return;
  // Keras lists what is trained before what is not; counters of single numbers are no parameters.
  std::vector<const ParameterAttrs *> parameters = layer.parameters;
  std::stable_partition(parameters.begin(), parameters.end(), [](const ParameterAttrs *parameter) {
    return parameter->role != "statistic";
  });
  if (arrays.size() > parameters.size())
    arrays.erase(std::remove_if(arrays.begin(), arrays.end(),
                                [](const StoredArray &array) {
                                  return array.data->problem.empty() &&
                                         array.data->array.shape.empty();
                                }),
                 arrays.end());
  if (arrays.size() != parameters.size())
    return problem(fmt::format("{} '{}' has {} weights, the file has {} for it", layer.class_name,
                               layer.name, parameters.size(), arrays.size()));
  for (size_t i = 0; i < parameters.size(); ++i)
    give(*parameters[i], *arrays[i].data);
}

std::map<std::string, WeightArray> WeightFinder::finish(const SourceLocation &file) {
  if (!problems_.empty())
    throw CompileError(file, "the weights do not fit the model: {}", fmt::join(problems_, "; "));
  return std::move(weights_);
}

// ---- by a map of names -------------------------------------------------------------------------

void remove_dataset(Hdf5Group &group, const std::string &path) {
  const size_t slash = path.find('/');
  if (slash == std::string::npos) {
    group.datasets.erase(path);
    return;
  }
  const auto inner = group.groups.find(path.substr(0, slash));
  if (inner != group.groups.end())
    remove_dataset(inner->second, path.substr(slash + 1));
}

void find_mapped(Hdf5Group &root, std::vector<WantedLayer> &layers, const WeightNames &names,
                 WeightFinder &finder) {
  const auto is_mapped = [&](const WantedLayer &layer) {
    return std::any_of(layer.parameters.begin(), layer.parameters.end(),
                       [&](const auto *parameter) { return names.count(parameter->name) > 0; });
  };
  const auto mapped = std::stable_partition(
      layers.begin(), layers.end(), [&](const WantedLayer &layer) { return !is_mapped(layer); });
  for (auto layer = mapped; layer != layers.end(); ++layer)
    for (const ParameterAttrs *parameter : layer->parameters) {
      const auto name = names.find(parameter->name);
      const Hdf5Dataset *data = name == names.end() ? nullptr : root.find_dataset(name->second);
      if (data)
        finder.give(*parameter, *data);
      else if (name == names.end())
        finder.problem(fmt::format("the map names other weights of '{}', but not {}", layer->name,
                                   parameter->name));
      else
        finder.problem(fmt::format("there is no '{}' for {}", name->second, parameter->name));
    }
  layers.erase(mapped, layers.end());
  for (const auto &[parameter, path] : names)
    remove_dataset(root, path);
}

// ---- Keras 1 and 2 -----------------------------------------------------------------------------

/// The group that lists the layers: model.save() puts it below "model_weights".
const Hdf5Group *legacy_root(const Hdf5Group &root) {
  for (const char *path : {"model_weights", ""}) {
    const Hdf5Group *group = root.find_group(path);
    if (group && !list_attribute(*group, "layer_names").empty())
      return group;
  }
  return nullptr;
}

std::vector<StoredArray> legacy_arrays(const Hdf5Group &layer, WeightFinder &finder) {
  std::vector<StoredArray> arrays;
  for (const std::string &name : list_attribute(layer, "weight_names")) {
    if (const Hdf5Dataset *data = layer.find_dataset(name))
      arrays.push_back({name, data});
    else
      finder.problem(fmt::format("the file lists {}, but does not hold it", name));
  }
  return arrays;
}

/// Whether it holds any of the weights that it lists.
bool lists_weights(const Hdf5Group &layer) {
  const std::vector<std::string> names = list_attribute(layer, "weight_names");
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string &name) { return layer.find_dataset(name) != nullptr; });
}

/// Groups of the layers' names; when none is, the groups with weights in their order.
void find_legacy(const Hdf5Group &root, const std::vector<WantedLayer> &layers,
                 WeightFinder &finder) {
  std::vector<const Hdf5Group *> weighted;
  for (const std::string &name : list_attribute(root, "layer_names"))
    if (const Hdf5Group *group = root.find_group(name); group && lists_weights(*group))
      weighted.push_back(group);
  const bool by_name = std::any_of(layers.begin(), layers.end(), [&](const WantedLayer &layer) {
    return !layer.parameters.empty() && root.find_group(layer.name);
  });
  size_t next = 0;
  for (const WantedLayer &layer : layers) {
    if (layer.parameters.empty())
      continue;
    const Hdf5Group *group = by_name                  ? root.find_group(layer.name)
                             : next < weighted.size() ? weighted[next++]
                                                      : nullptr;
    if (group)
      finder.layer(layer, legacy_arrays(*group, finder));
    else
      finder.problem(fmt::format("no weights of {} '{}'", layer.class_name, layer.name));
  }
}

// ---- Keras 3 -----------------------------------------------------------------------------------

/// The group that holds a model's layers; TensorFlow 2.12 to 2.15 call it otherwise.
const Hdf5Group *layer_container(const Hdf5Group &model) {
  for (const char *name : {"layers", "_layer_checkpoint_dependencies", "_layers"})
    if (const Hdf5Group *group = model.find_group(name))
      return group;
  return nullptr;
}

bool holds_weights(const Hdf5Group &layer) {
  const Hdf5Group *vars = layer.find_group("vars");
  if (vars && !vars->datasets.empty())
    return true;
  const Hdf5Group *inner = layer_container(layer);
  return inner && std::any_of(inner->groups.begin(), inner->groups.end(),
                              [](const auto &entry) { return holds_weights(entry.second); });
}

/// The counter of "conv2d_12", 0 of "conv2d"; -1 when the class is another one.
int64_t class_counter(const std::string &group, const std::string &class_name) {
  if (group == class_name)
    return 0;
  if (group.compare(0, class_name.size() + 1, class_name + "_") != 0)
    return -1;
  const std::string digits = group.substr(class_name.size() + 1);
  const bool number = !digits.empty() && digits.size() < 10 &&
                      digits.find_first_not_of("0123456789") == std::string::npos;
  return number ? std::stoll(digits) : -1;
}

/// The groups of a class that hold weights, by counter. Counters may skip: some versions count
/// layers with weights twice.
std::vector<const Hdf5Group *> groups_of_class(const Hdf5Group &container,
                                               const std::string &class_name) {
  std::map<int64_t, const Hdf5Group *> by_counter;
  for (const auto &[name, group] : container.groups)
    if (const int64_t counter = class_counter(name, class_name);
        counter >= 0 && holds_weights(group))
      by_counter[counter] = &group;
  std::vector<const Hdf5Group *> groups;
  for (const auto &[counter, group] : by_counter)
    groups.push_back(group);
  return groups;
}

/// A layer's own, then those of a layer that is its activation.
std::vector<StoredArray> numbered_arrays(const Hdf5Group &layer) {
  std::vector<StoredArray> arrays;
  for (const char *path : {"vars", "activation/vars"}) {
    const Hdf5Group *vars = layer.find_group(path);
    for (size_t i = 0; vars && i < vars->datasets.size(); ++i)
      if (const Hdf5Dataset *data = vars->find_dataset(fmt::format("{}", i)))
        arrays.push_back({fmt::format("{}", i), data});
  }
  return arrays;
}

void find_numbered(const Hdf5Group &model, const std::vector<WantedLayer> &layers,
                   WeightFinder &finder) {
  const Hdf5Group *container = layer_container(model);
  if (!container)
    return finder.problem("the file holds no layers");
  struct Class {
    std::vector<const Hdf5Group *> groups;
    size_t next = 0;
  };
  std::map<std::string, Class> classes;
  for (const WantedLayer &layer : layers) {
    if (layer.parameters.empty())
      continue;
    const std::string class_name = snake_case_name(layer.class_name);
    const auto [entry, is_new] = classes.try_emplace(class_name);
    auto &[groups, next] = entry->second;
    if (is_new)
      groups = groups_of_class(*container, class_name);
    const Hdf5Group *group =
        next < groups.size() ? groups[next] : container->find_group(layer.name);
    ++next;
    if (!group)
      finder.problem(fmt::format("no weights of {} '{}'", layer.class_name, layer.name));
    else if (layer.layers.empty())
      finder.layer(layer, numbered_arrays(*group));
    else
      find_numbered(*group, layer.layers, finder);
  }
}

void list_into(const Hdf5Group &group, const std::string &path,
               std::vector<std::pair<std::string, const Hdf5Dataset *>> &list) {
  for (const auto &[name, data] : group.datasets)
    list.emplace_back(path + name, &data);
  for (const auto &[name, inner] : group.groups)
    list_into(inner, path + name + "/", list);
}

} // namespace

bool is_keras_weights_extension(const std::string &extension) {
  return extension == ".h5" || extension == ".hdf5" || extension == ".keras";
}

Hdf5Group read_keras_weights(const SourceLocation &file) {
  if (!ends_with(*file.file, ".keras"))
    return read_hdf5(file);
  Archive archive(file, ".keras archive");
  const auto weights = archive.read("model.weights.h5");
  if (!weights)
    throw CompileError(file, "the archive has no model.weights.h5");
  return read_hdf5_image(*weights, file);
}

bool has_keras_weights(const Hdf5Group &root) { return legacy_root(root) || layer_container(root); }

std::map<std::string, WeightArray> find_keras_weights(Hdf5Group root,
                                                      std::vector<WantedLayer> layers,
                                                      const WeightNames &names,
                                                      const SourceLocation &file) {
  WeightFinder finder;
  if (!names.empty())
    find_mapped(root, layers, names, finder);
  if (const Hdf5Group *legacy = legacy_root(root))
    find_legacy(*legacy, layers, finder);
  else
    find_numbered(root, layers, finder);
  return finder.finish(file);
}

std::vector<std::pair<std::string, const Hdf5Dataset *>> list_datasets(const Hdf5Group &root) {
  std::vector<std::pair<std::string, const Hdf5Dataset *>> list;
  list_into(root, "", list);
  return list;
}

} // namespace sinter
