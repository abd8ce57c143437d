#include "frontend/keras_file/hdf5_walk.h"

#include "frontend/keras_file/hdf5_handle.h"
#include "frontend/weight_file.h"

#include <algorithm>
#include <fmt/format.h>
#include <hdf5_hl.h>
#include <optional>
#include <set>
#include <vector>

namespace sinter {

namespace {

constexpr int kMaxDepth = 64;
constexpr size_t kMaxObjects = 200'000;
constexpr hsize_t kMaxText = hsize_t{64} << 20U; // of one attribute
// Compressed weights hardly shrink; values that were never written take no space at all.
constexpr int64_t kInflation = 16;
constexpr int64_t kAlwaysAllowed = int64_t{256} << 20U;
constexpr int64_t kMostInflated = int64_t{512} << 20U;

/// Bytes of values that a file may hold.
int64_t most_values(int64_t file_bytes) {
  return std::max(2 * file_bytes,
                  std::min(kAlwaysAllowed + kInflation * file_bytes, kMostInflated));
}

class Walk {
public:
  Walk(std::FILE *to, int64_t file_bytes) : to_(to), budget_(most_values(file_bytes)) {}

  bool group(hid_t group, const std::string &name, int depth);

private:
  struct Member {
    std::string name;
    haddr_t address = 0;
    H5O_type_t type = H5O_TYPE_UNKNOWN;
  };

  void number(int64_t value) { std::fwrite(&value, sizeof value, 1, to_); }
  void text(const std::string &value) {
    number(static_cast<int64_t>(value.size()));
    std::fwrite(value.data(), 1, value.size(), to_);
  }
  void tag(char letter) { std::fputc(letter, to_); }

  bool attributes(hid_t object);
  void attribute(hid_t object, const std::string &name);
  bool dataset(hid_t group, const std::string &name);
  std::string dataset_problem(hid_t set, hid_t type, const Shape &shape, size_t size);

  std::FILE *to_;
  int64_t budget_; // bytes of values that may still be read
  std::set<haddr_t> seen_;
};

/// "f32", "i64"; nothing for what is no number. Keras stores bfloat16 as two opaque bytes.
std::string number_type(hid_t type) {
  const H5T_class_t kind = H5Tget_class(type);
  if (kind == H5T_OPAQUE && H5Tget_size(type) == 2)
    return "bf16";
  const size_t bits = H5Tget_size(type) * 8;
  if (kind == H5T_FLOAT)
    return fmt::format("f{}", bits);
  if (kind == H5T_INTEGER)
    return fmt::format("{}{}", H5Tget_sign(type) == H5T_SGN_NONE ? "u" : "i", bits);
  return "";
}

/// Fixed-length text ends at its first NUL.
std::vector<std::string> read_fixed_texts(hid_t attribute, hid_t type, size_t count) {
  const size_t size = H5Tget_size(type);
  if (size == 0 || count > kMaxText / size)
    return {};
  std::string bytes(size * count, '\0');
  const Hdf5Handle memory(H5Tcopy(type), H5Tclose);
  if (H5Aread(attribute, memory, bytes.data()) < 0)
    return {};
  std::vector<std::string> texts;
  for (size_t i = 0; i < count; ++i) {
    const std::string one = bytes.substr(i * size, size);
    texts.push_back(one.substr(0, one.find('\0')));
  }
  return texts;
}

std::vector<std::string> read_variable_texts(hid_t attribute, hid_t type, hid_t space,
                                             size_t count) {
  std::vector<char *> pointers(count, nullptr);
  const Hdf5Handle memory(H5Tcopy(H5T_C_S1), H5Tclose);
  H5Tset_size(memory, H5T_VARIABLE);
  H5Tset_cset(memory, H5Tget_cset(type));
  if (H5Aread(attribute, memory, pointers.data()) < 0)
    return {};
  std::vector<std::string> texts;
  for (const char *pointer : pointers)
    texts.emplace_back(pointer ? pointer : "");
  H5Dvlen_reclaim(memory, space, H5P_DEFAULT, pointers.data());
  return texts;
}

void Walk::attribute(hid_t object, const std::string &name) {
  const Hdf5Handle attribute(H5Aopen(object, name.c_str(), H5P_DEFAULT), H5Aclose);
  if (!attribute.valid())
    return;
  const Hdf5Handle type(H5Aget_type(attribute), H5Tclose);
  const Hdf5Handle space(H5Aget_space(attribute), H5Sclose);
  const hssize_t count = space.valid() ? H5Sget_simple_extent_npoints(space) : -1;
  if (!type.valid() || H5Tget_class(type) != H5T_STRING || count < 0 ||
      static_cast<size_t>(count) > kMaxObjects)
    return;
  const auto texts = H5Tis_variable_str(type) > 0
                         ? read_variable_texts(attribute, type, space, static_cast<size_t>(count))
                         : read_fixed_texts(attribute, type, static_cast<size_t>(count));
  tag('A');
  text(name);
  number(static_cast<int64_t>(texts.size()));
  for (const std::string &one : texts)
    text(one);
}

bool Walk::attributes(hid_t object) {
  std::vector<std::string> names;
  const auto collect = [](hid_t, const char *name, const H5A_info_t *, void *list) -> herr_t {
    auto &collected = *static_cast<std::vector<std::string> *>(list);
    collected.emplace_back(name);
    return collected.size() > kMaxObjects ? -1 : 0;
  };
  hsize_t start = 0;
  if (H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, &start, collect, &names) < 0)
    return false;
  for (const std::string &name : names)
    attribute(object, name);
  return true;
}

std::string Walk::dataset_problem(hid_t set, hid_t type, const Shape &shape, size_t size) {
  if (number_type(type).empty())
    return "its values are not numbers";
  const std::optional<int64_t> count = extent_product(shape);
  if (!count)
    return fmt::format("{} elements are too many", str(shape));
  const Hdf5Handle creation(H5Dget_create_plist(set), H5Pclose);
  if (!creation.valid() || H5Pget_layout(creation) == H5D_VIRTUAL ||
      H5Pget_external_count(creation) != 0)
    return "its values are kept in other files";
  const int64_t bytes = *count * static_cast<int64_t>(std::max(size, sizeof(float)));
  if (bytes > budget_)
    return fmt::format("{} elements are more than a file of this size can hold", *count);
  budget_ -= bytes;
  if (*count > 0 && H5Dget_storage_size(set) == 0)
    return "its values were never written";
  return "";
}

/// The values as float32; none when they cannot be read.
std::optional<std::vector<float>> read_values(hid_t set, hid_t type, size_t count) {
  std::vector<float> values(count);
  if (number_type(type) == "bf16") {
    std::string bytes(count * 2, '\0');
    if (count > 0 && H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, bytes.data()) < 0)
      return std::nullopt;
    return to_floats(bytes, NumberFormat::bf16);
  }
  if (count > 0 && H5Dread(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) < 0)
    return std::nullopt;
  return values;
}

bool Walk::dataset(hid_t group, const std::string &name) {
  const Hdf5Handle set(H5Dopen2(group, name.c_str(), H5P_DEFAULT), H5Dclose);
  if (!set.valid())
    return false;
  const Hdf5Handle type(H5Dget_type(set), H5Tclose);
  const Hdf5Handle space(H5Dget_space(set), H5Sclose);
  const int rank = space.valid() ? H5Sget_simple_extent_ndims(space) : -1;
  if (!type.valid() || rank < 0)
    return false;
  std::vector<hsize_t> extents(static_cast<size_t>(rank));
  if (rank > 0 && H5Sget_simple_extent_dims(space, extents.data(), nullptr) < 0)
    return false;
  Shape shape;
  for (const hsize_t extent : extents)
    shape.push_back(extent > static_cast<hsize_t>(INT64_MAX) ? -1 : static_cast<int64_t>(extent));
  std::string problem = dataset_problem(set, type, shape, H5Tget_size(type));
  std::vector<float> values;
  if (problem.empty()) {
    const auto read = read_values(set, type, static_cast<size_t>(*extent_product(shape)));
    if (!read)
      problem = "its values cannot be read: the file is damaged";
    values = read.value_or(std::vector<float>());
  }
  tag('D');
  text(name);
  text(number_type(type));
  text(problem);
  number(static_cast<int64_t>(shape.size()));
  for (const int64_t extent : shape)
    number(extent);
  number(static_cast<int64_t>(values.size()));
  if (!values.empty())
    std::fwrite(values.data(), sizeof(float), values.size(), to_);
  return true;
}

bool is_optimizer_state(const std::string &name) {
  return name == "optimizer_weights" || name == "optimizer" || name == "_optimizer";
}

bool Walk::group(hid_t group, const std::string &name, int depth) {
  tag('G');
  text(name);
  if (depth > kMaxDepth || !attributes(group))
    return false;
  std::vector<Member> members;
  const auto collect = [](hid_t from, const char *member, const H5L_info_t *link,
                          void *list) -> herr_t {
    auto &collected = *static_cast<std::vector<Member> *>(list);
    H5O_info_t info;
    if (link->type != H5L_TYPE_HARD) // soft and external links point where they please
      return 0;
    if (H5Oget_info_by_name1(from, member, &info, H5P_DEFAULT) < 0)
      return -1;
    collected.push_back({member, info.addr, info.type});
    return collected.size() > kMaxObjects ? -1 : 0;
  };
  if (H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, nullptr, collect, &members) < 0)
    return false;
  for (const Member &member : members) {
    if (is_optimizer_state(member.name))
      continue;
    if (!seen_.insert(member.address).second) // a second name, or a group within itself
      continue;
    if (seen_.size() > kMaxObjects)
      return false;
    if (member.type == H5O_TYPE_GROUP) {
      const Hdf5Handle inner(H5Gopen2(group, member.name.c_str(), H5P_DEFAULT), H5Gclose);
      if (!inner.valid() || !this->group(inner, member.name, depth + 1))
        return false;
    } else if (member.type == H5O_TYPE_DATASET && !dataset(group, member.name)) {
      return false;
    }
  }
  tag('E');
  return true;
}

/// Nothing of a file in memory is copied: the process is the file's own and reads only.
hid_t open_file(const Hdf5Source &source) {
  if (!source.path.empty())
    return H5Fopen(source.path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  return H5LTopen_file_image(const_cast<char *>(source.image.data()), source.image.size(),
                             H5LT_FILE_IMAGE_DONT_COPY | H5LT_FILE_IMAGE_DONT_RELEASE);
}

} // namespace

bool walk_hdf5(const Hdf5Source &source, std::FILE *to) {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  H5PLset_loading_state(0); // no code named by the file
  const Hdf5Handle file(open_file(source), H5Fclose);
  hsize_t bytes = 0;
  if (!file.valid() || H5Fget_filesize(file, &bytes) < 0)
    return false;
  const Hdf5Handle root(H5Gopen2(file, "/", H5P_DEFAULT), H5Gclose);
  return root.valid() && Walk(to, static_cast<int64_t>(bytes)).group(root, "", 0);
}

} // namespace sinter
