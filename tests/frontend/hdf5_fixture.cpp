#include "tests/frontend/hdf5_fixture.h"

#include "tests/paths.h"

#include <algorithm>
#include <hdf5.h>

namespace sinter {

namespace {

/// Every folder of a path is a group, made when it is new.
void make_groups(hid_t file, const std::string &path) {
  for (size_t end = path.find('/'); end != std::string::npos; end = path.find('/', end + 1)) {
    const std::string group = path.substr(0, end);
    if (H5Lexists(file, group.c_str(), H5P_DEFAULT) <= 0)
      H5Gclose(H5Gcreate2(file, group.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  }
}

void write_texts(hid_t object, const std::string &name, const std::vector<std::string> &texts,
                 bool fixed, bool scalar) {
  const hsize_t count = texts.size();
  const hid_t space = scalar ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &count, nullptr);
  const hid_t type = H5Tcopy(H5T_C_S1);
  size_t longest = 1;
  for (const std::string &text : texts)
    longest = std::max(longest, text.size());
  H5Tset_size(type, fixed ? longest : H5T_VARIABLE);
  const hid_t attribute = H5Acreate2(object, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT);
  std::string bytes;
  std::vector<const char *> pointers;
  for (const std::string &text : texts) {
    pointers.push_back(text.c_str());
    bytes += text + std::string(longest - text.size(), '\0');
  }
  H5Awrite(attribute, type,
           fixed ? static_cast<const void *>(bytes.data()) : static_cast<void *>(pointers.data()));
  H5Aclose(attribute);
  H5Tclose(type);
  H5Sclose(space);
}

void write_array(hid_t file, const std::string &path, const Shape &shape) {
  make_groups(file, path);
  const std::vector<hsize_t> extents(shape.begin(), shape.end());
  const hid_t space =
      shape.empty() ? H5Screate(H5S_SCALAR)
                    : H5Screate_simple(static_cast<int>(extents.size()), extents.data(), nullptr);
  const hid_t set =
      H5Dcreate2(file, path.c_str(), H5T_IEEE_F32LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  const std::vector<float> values = fixture_values(shape);
  H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
  H5Dclose(set);
  H5Sclose(space);
}

} // namespace

std::vector<float> fixture_values(const Shape &shape) {
  size_t count = 1;
  for (const int64_t extent : shape)
    count *= static_cast<size_t>(extent);
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i)
    values[i] = static_cast<float>(i) / 8;
  return values;
}

std::string write_hdf5(const std::string &name, const Hdf5Fixture &fixture) {
  const std::string path = build_path(name);
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  for (const auto &[array, shape] : fixture.arrays)
    write_array(file, array, shape);
  for (const auto &[attribute, text] : fixture.texts)
    write_texts(file, attribute, {text}, fixture.fixed, /*scalar=*/true);
  for (const auto &[place, texts] : fixture.lists) {
    const std::string group = place.substr(0, place.find('@'));
    make_groups(file, group + "/");
    const hid_t object = H5Gopen2(file, group.empty() ? "/" : group.c_str(), H5P_DEFAULT);
    write_texts(object, place.substr(place.find('@') + 1), texts, fixture.fixed, /*scalar=*/false);
    H5Gclose(object);
  }
  H5Fclose(file);
  return path;
}

} // namespace sinter
