#include "frontend/keras_file/write_keras_weights.h"

#include "frontend/keras_file/hdf5_handle.h"
#include "frontend/keras_session.h"
#include "ir/diagnostics.h"

#include <algorithm>
#include <functional>
#include <hdf5.h>
#include <hdf5_hl.h>

namespace sinter {

namespace {

// An HDF5 attribute must fit an object's header of 64 KiB; Keras splits lists that do not.
constexpr size_t kMaxAttributeBytes = 60'000;

void check(bool done) {
  if (!done)
    throw CompileError({}, "the HDF5 library cannot write the weights");
}

/// A list of fixed-length strings, as h5py and Keras of every version read it.
void write_list(hid_t group, const std::string &name, const std::vector<std::string> &texts) {
  size_t longest = 1;
  for (const std::string &text : texts)
    longest = std::max(longest, text.size());
  std::string bytes;
  for (const std::string &text : texts)
    bytes += text + std::string(longest - text.size(), '\0');
  const hsize_t count = texts.size();
  const Hdf5Handle space(H5Screate_simple(1, &count, nullptr), H5Sclose);
  const Hdf5Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
  check(H5Tset_size(type, longest) >= 0);
  const Hdf5Handle attribute(H5Acreate2(group, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT),
                             H5Aclose);
  check(attribute.valid() && (texts.empty() || H5Awrite(attribute, type, bytes.data()) >= 0));
}

void write_text(hid_t group, const char *name, const std::string &text) {
  check(H5LTset_attribute_string(group, ".", name, text.c_str()) >= 0);
}

/// The list in one attribute, or split over NAME0, NAME1 ...
void write_chunked_list(hid_t group, const std::string &name,
                        const std::vector<std::string> &texts) {
  size_t longest = 1;
  for (const std::string &text : texts)
    longest = std::max(longest, text.size());
  const size_t chunk = std::max<size_t>(1, kMaxAttributeBytes / longest);
  if (texts.size() <= chunk)
    return write_list(group, name, texts);
  for (size_t begin = 0; begin < texts.size(); begin += chunk) {
    const auto first = texts.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto last =
        texts.begin() + static_cast<std::ptrdiff_t>(std::min(begin + chunk, texts.size()));
    write_list(group, fmt::format("{}{}", name, begin / chunk), {first, last});
  }
}

/// Keras's ":0" is part of the names by which versions 1 and 2 look weights up.
std::string stored_name(const std::string &weight) { return weight + ":0"; }

void write_array(hid_t group, const std::string &name, const WeightArray &array) {
  const Hdf5Handle links(H5Pcreate(H5P_LINK_CREATE), H5Pclose);
  check(H5Pset_create_intermediate_group(links, 1) >= 0);
  const std::vector<hsize_t> extents(array.shape.begin(), array.shape.end());
  const Hdf5Handle space(
      extents.empty() ? H5Screate(H5S_SCALAR)
                      : H5Screate_simple(static_cast<int>(extents.size()), extents.data(), nullptr),
      H5Sclose);
  const Hdf5Handle set(
      H5Dcreate2(group, name.c_str(), H5T_IEEE_F32LE, space, links, H5P_DEFAULT, H5P_DEFAULT),
      H5Dclose);
  check(set.valid() &&
        H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, array.values.data()) >= 0);
}

void write_layer(hid_t root, const KerasLayerWeights &layer) {
  const Hdf5Handle links(H5Pcreate(H5P_LINK_CREATE), H5Pclose);
  check(H5Pset_create_intermediate_group(links, 1) >= 0);
  const Hdf5Handle group(H5Gcreate2(root, layer.name.c_str(), links, H5P_DEFAULT, H5P_DEFAULT),
                         H5Gclose);
  check(group.valid());
  std::vector<std::string> names;
  for (const auto &[name, array] : layer.arrays) {
    names.push_back(stored_name(name));
    write_array(group, names.back(), array);
  }
  write_chunked_list(group, "weight_names", names);
}

Hdf5Handle new_group(hid_t parent, const std::string &name) {
  const hid_t group = H5Gcreate2(parent, name.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  check(group >= 0);
  return Hdf5Handle(group, H5Gclose);
}

/// The bytes of a file that is written in memory.
std::string hdf5_bytes(const std::function<void(hid_t root)> &write) {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  constexpr size_t kGrowth = size_t{1} << 20U;
  const Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  check(H5Pset_fapl_core(access, kGrowth, /*backing_store=*/0) >= 0);
  const Hdf5Handle file(H5Fcreate("weights.h5", H5F_ACC_TRUNC, H5P_DEFAULT, access), H5Fclose);
  check(file.valid());
  write(Hdf5Handle(H5Gopen2(file, "/", H5P_DEFAULT), H5Gclose));
  check(H5Fflush(file, H5F_SCOPE_GLOBAL) >= 0);
  const ssize_t size = H5Fget_file_image(file, nullptr, 0);
  check(size > 0);
  std::string bytes(static_cast<size_t>(size), '\0');
  check(H5Fget_file_image(file, bytes.data(), bytes.size()) == size);
  return bytes;
}

void require_own_weights(const KerasLayerWeights &layer) {
  if (layer.holds_others)
    throw CompileError({},
                       "{} '{}' holds layers, whose weights can be written to .h5 and not to "
                       ".weights.h5",
                       layer.class_name, layer.name);
}

/// The layers of a model below its group, and the group of its own weights, which has none.
void write_numbered(hid_t model, const std::vector<KerasLayerWeights> &layers) {
  const Hdf5Handle container = new_group(model, "layers");
  std::map<std::string, int> counters;
  for (const KerasLayerWeights &layer : layers) {
    const std::string name = snake_case_name(layer.class_name);
    const int counter = counters[name]++;
    const Hdf5Handle group =
        new_group(container, counter == 0 ? name : fmt::format("{}_{}", name, counter));
    require_own_weights(layer);
    if (!layer.layers.empty()) {
      write_numbered(group, layer.layers);
      continue;
    }
    const Hdf5Handle variables = new_group(group, "vars");
    write_text(variables, "name", layer.name);
    for (size_t i = 0; i < layer.arrays.size(); ++i)
      write_array(variables, fmt::format("{}", i), layer.arrays[i].second);
  }
  new_group(model, "vars");
}

} // namespace

std::string keras_weights_file(const std::vector<KerasLayerWeights> &layers) {
  return hdf5_bytes([&](hid_t root) {
    std::vector<std::string> names;
    for (const KerasLayerWeights &layer : layers) {
      names.push_back(layer.name);
      write_layer(root, layer);
    }
    write_chunked_list(root, "layer_names", names);
    write_text(root, "backend", "tensorflow");
    write_text(root, "keras_version", "2.11.0");
  });
}

std::string keras3_weights_file(const std::vector<KerasLayerWeights> &layers) {
  return hdf5_bytes([&](hid_t root) { write_numbered(root, layers); });
}

} // namespace sinter
