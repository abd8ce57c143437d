#include "frontend/pickled_arrays.h"

#include "frontend/ends_with.h"
#include "ir/diagnostics.h"
#include "ir/strided_view.h"

#include <algorithm>
#include <map>
#include <set>

namespace sinter {

namespace {

constexpr int kMaxDepth = 50;   // of dicts within dicts
constexpr size_t kMaxRank = 64; // NumPy's own limit
constexpr int64_t kAlwaysAllowed = int64_t{64} << 20U;
/// What the entry of a dict costs beside the characters of its name.
constexpr int64_t kEntryCost = 64;

/// Values are shared, so a small pickle can hold arrays without end: everything that is made of
/// one comes out of a budget.
class ArrayReader {
public:
  ArrayReader(const Pickle &pickle, const StorageSource &storages, uint64_t file_bytes)
      : pickle_(pickle), storages_(storages),
        budget_(kAlwaysAllowed + static_cast<int64_t>(file_bytes)) {}

  bool is_array(PickleId id) const;
  NamedArray array(const std::string &name, PickleId id);
  const PickleValue &at(PickleId id) const { return pickle_[id]; }

private:
  /// What a value is a call of: "numpy.ndarray", or "".
  std::string_view callee(PickleId id) const;
  /// The i-th argument of a call; the pickle's root, which is no argument, when there is none.
  PickleId argument(PickleId call, size_t i) const;
  std::optional<Shape> integers(PickleId id) const;
  std::optional<NumberFormat> dtype(PickleId id) const;
  /// Bytes, or the Latin-1 text that stands for them.
  struct StoredBytes {
    std::string_view text;
    bool latin = false;
  };
  std::optional<StoredBytes> bytes(PickleId id) const;
  void read_tensor(PickleId id, NamedArray &);
  void read_numpy(PickleId id, NamedArray &);
  void fill(NamedArray &, const Shape &shape, std::optional<NumberFormat>, const StoredBytes &,
            bool fortran);
  bool spend(int64_t count, NamedArray &);

  const Pickle &pickle_;
  const StorageSource &storages_;
  int64_t budget_; // elements that may still be made
};

std::string_view ArrayReader::callee(PickleId id) const {
  const PickleValue &value = at(id);
  return value.kind == PickleKind::call ? at(value.items[0]).text : std::string_view();
}

PickleId ArrayReader::argument(PickleId call, size_t i) const {
  const std::vector<PickleId> &arguments = at(at(call).items[1]).items;
  return i < arguments.size() ? arguments[i] : pickle_.root;
}

bool ArrayReader::is_array(PickleId id) const {
  const std::string_view name = callee(id);
  for (const char *known : {"_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_parameter",
                            "Parameter", "_reconstruct", "_frombuffer"})
    if (ends_with(name, known))
      return true;
  return false;
}

std::optional<Shape> ArrayReader::integers(PickleId id) const {
  const PickleValue &value = callee(id) == "torch.Size" ? at(argument(id, 0)) : at(id);
  Shape numbers;
  if ((value.kind != PickleKind::tuple && value.kind != PickleKind::list) ||
      value.items.size() > kMaxRank)
    return std::nullopt;
  for (const PickleId item : value.items) {
    if (at(item).kind != PickleKind::integer)
      return std::nullopt;
    numbers.push_back(at(item).integer);
  }
  return numbers;
}

/// numpy.dtype('f8', ...) with the state (3, '<', ...).
std::optional<NumberFormat> ArrayReader::dtype(PickleId id) const {
  if (callee(id) != "numpy.dtype")
    return std::nullopt;
  const PickleId state = at(id).state;
  const bool big_endian =
      state >= 0 && at(state).items.size() > 1 && at(at(state).items[1]).text == ">";
  return big_endian ? std::nullopt : numpy_format(at(argument(id, 0)).text);
}

/// Bytes, or the text that protocol 2 makes of them: _codecs.encode(text, 'latin1').
std::optional<ArrayReader::StoredBytes> ArrayReader::bytes(PickleId id) const {
  if (at(id).kind == PickleKind::bytes)
    return StoredBytes{at(id).text, false};
  if (callee(id) != "_codecs.encode")
    return std::nullopt;
  return StoredBytes{at(argument(id, 0)).text, true};
}

/// UTF-8 of the characters U+0000 to U+00FF as these; nothing where there are others.
std::optional<std::string> from_latin(std::string_view text) {
  std::string latin;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80U)
      latin += text[i];
    else if ((lead & 0xFCU) == 0xC0U && i + 1 < text.size()) // U+0080 to U+00FF
      latin += static_cast<char>(lead << 6U | (static_cast<unsigned char>(text[++i]) & 0x3FU));
    else
      return std::nullopt;
  }
  return latin;
}

/// False, and nothing is spent, where that is more than a file of this size can still hold.
bool ArrayReader::spend(int64_t count, NamedArray &result) {
  const bool allowed = count <= budget_;
  if (allowed)
    budget_ -= count;
  else
    result.problem = "it has more elements than a file of this size can hold";
  return allowed;
}

/// Bytes are looked at only after their number fits and is paid for. A character of Latin-1 takes
/// one or two bytes of UTF-8.
void ArrayReader::fill(NamedArray &result, const Shape &shape, std::optional<NumberFormat> format,
                       const StoredBytes &stored, bool fortran) {
  const std::optional<int64_t> count = extent_product(shape);
  const auto size = static_cast<int64_t>(stored.text.size());
  const auto misfit = [&] {
    result.problem = fmt::format("its shape {} does not fit its {} bytes", str(shape), size);
  };
  if (!format) {
    result.problem = "its values are not numbers of a known type";
    return;
  }
  const int64_t needed = count.value_or(-1) * byte_size(*format);
  if (!count || needed > size || size > (stored.latin ? 2 * needed : needed))
    return misfit();
  if (!spend(*count, result))
    return;
  const std::optional<std::string> latin =
      stored.latin ? from_latin(stored.text) : std::optional<std::string>();
  if (stored.latin && (!latin || static_cast<int64_t>(latin->size()) != needed))
    return misfit();
  result.type = name(*format);
  result.array.shape = shape;
  result.array.values = to_floats(latin ? std::string_view(*latin) : stored.text, *format);
  if (fortran)
    result.array.values = from_column_major(result.array.values, shape);
}

void ArrayReader::read_numpy(PickleId id, NamedArray &result) {
  if (ends_with(callee(id), "_frombuffer")) { // (bytes, dtype, shape, order)
    const auto values = bytes(argument(id, 0));
    const auto shape = integers(argument(id, 2));
    if (values && shape)
      return fill(result, *shape, dtype(argument(id, 1)), *values, at(argument(id, 3)).text == "F");
  } else if (at(id).state >= 0 && at(at(id).state).items.size() >= 5) {
    const std::vector<PickleId> &state = at(at(id).state).items; // version, shape, dtype, fortran
    const auto values = bytes(state[4]);
    const auto shape = integers(state[1]);
    if (values && shape)
      return fill(result, *shape, dtype(state[2]), *values, at(state[3]).integer != 0);
  }
  result.problem = "it is no array of numbers";
}

/// (storage, offset, size, stride, ...): a strided view.
void ArrayReader::read_tensor(PickleId id, NamedArray &result) {
  const auto reference = storage_reference(pickle_, argument(id, 0));
  const auto shape = integers(argument(id, 2));
  auto strides = integers(argument(id, 3));
  const int64_t offset = at(argument(id, 1)).integer;
  const std::optional<int64_t> count = shape ? extent_product(*shape) : std::nullopt;
  if (!reference || !count || !strides || strides->size() != shape->size() || offset < 0) {
    result.problem = "it is no tensor of numbers";
    return;
  }
  const auto stored = storages_(reference->key);
  const int64_t size = byte_size(reference->format);
  int64_t last = offset; // the furthest element of the view
  bool inside = stored.has_value();
  for (size_t d = 0; d < shape->size() && inside; ++d) {
    int64_t reach = 0;
    if ((*shape)[d] <= 1)
      (*strides)[d] = 0; // it is never taken, whatever it is
    inside = (*strides)[d] >= 0 &&
             !__builtin_mul_overflow((*strides)[d], (*shape)[d] - 1, &reach) &&
             !__builtin_add_overflow(last, reach, &last);
  }
  if (!inside || last >= INT64_MAX / 8 ||
      (*count > 0 && (last + 1) * size > static_cast<int64_t>(stored->size()))) {
    result.problem = "its values lie outside of what the file holds";
    return;
  }
  if (!spend(std::max(*count, *count > 0 ? last + 1 - offset : 0), result))
    return;
  result.type = name(reference->format);
  result.array.shape = *shape;
  if (*count == 0)
    return;
  const std::string_view window = stored->substr(static_cast<size_t>(offset * size),
                                                 static_cast<size_t>((last + 1 - offset) * size));
  result.array.values = strided_view(to_floats(window, reference->format), *shape, *strides);
}

NamedArray ArrayReader::array(const std::string &name, PickleId id) {
  NamedArray result;
  result.name = name;
  for (int depth = 0; depth < kMaxDepth && (ends_with(callee(id), "_rebuild_parameter") ||
                                            ends_with(callee(id), "Parameter"));
       ++depth)
    id = argument(id, 0); // a parameter is a tensor and what is known of its gradient
  if (ends_with(callee(id), "_reconstruct") || ends_with(callee(id), "_frombuffer"))
    read_numpy(id, result);
  else if (is_array(id))
    read_tensor(id, result);
  else
    result.problem = "it is no array of numbers";
  return result;
}

/// Finds the arrays of dicts within dicts. Names have a budget of their own, so that one array that
/// asks for too much does not make the others unreadable.
class Collector {
public:
  Collector(ArrayReader &reader, uint64_t file_bytes, const SourceLocation &file)
      : reader_(reader), file_(file), budget_(kAlwaysAllowed + static_cast<int64_t>(file_bytes)) {}

  void collect(const std::string &prefix, PickleId dict, int depth);
  std::vector<NamedArray> arrays;

private:
  ArrayReader &reader_;
  const SourceLocation &file_;
  int64_t budget_;
};

void Collector::collect(const std::string &prefix, PickleId dict, int depth) {
  for (const auto &[key, value] : reader_.at(dict).pairs) {
    const PickleValue &name = reader_.at(key);
    budget_ -= kEntryCost + static_cast<int64_t>(prefix.size() + name.text.size());
    if (budget_ < 0)
      throw CompileError(file_, "the dicts of the pickle have more entries than a file of this "
                                "size can hold");
    if (name.kind != PickleKind::text && name.kind != PickleKind::bytes)
      continue;
    const std::string path = prefix + std::string(name.text);
    if (reader_.is_array(value))
      arrays.push_back(reader_.array(path, value));
    else if (!reader_.at(value).pairs.empty() && depth < kMaxDepth)
      collect(path + ".", value, depth + 1);
  }
}

/// What the dict holds under one of the names that checkpoints keep weights by, or nothing.
std::optional<PickleId> wrapped_weights(const ArrayReader &reader, PickleId dict) {
  for (const char *wrapper : {"state_dict", "model_state_dict", "model_state", "model", "net",
                              "network", "params", "weights", "ema", "module"})
    for (const auto &[key, value] : reader.at(dict).pairs)
      if (reader.at(key).text == wrapper && !reader.at(value).pairs.empty())
        return value;
  return std::nullopt;
}

/// The dict that holds the weights of a checkpoint. A dict may hold itself.
PickleId find_weights(const ArrayReader &reader, PickleId root) {
  std::set<PickleId> seen;
  for (auto inner = wrapped_weights(reader, root); inner && seen.insert(root).second;
       inner = wrapped_weights(reader, root))
    root = *inner;
  return root;
}

void strip_common_prefix(std::vector<NamedArray> &arrays, const std::string &prefix) {
  const bool common = std::all_of(arrays.begin(), arrays.end(), [&](const NamedArray &array) {
    return array.name.compare(0, prefix.size(), prefix) == 0;
  });
  if (common)
    for (NamedArray &array : arrays)
      array.name.erase(0, prefix.size());
}

} // namespace

std::optional<StorageReference> storage_reference(const Pickle &pickle, PickleId persistent) {
  static const std::map<std::string_view, NumberFormat> formats = {
      {"torch.FloatStorage", NumberFormat::f32}, {"torch.DoubleStorage", NumberFormat::f64},
      {"torch.HalfStorage", NumberFormat::f16},  {"torch.BFloat16Storage", NumberFormat::bf16},
      {"torch.LongStorage", NumberFormat::i64},  {"torch.IntStorage", NumberFormat::i32},
      {"torch.ShortStorage", NumberFormat::i16}, {"torch.CharStorage", NumberFormat::i8},
      {"torch.ByteStorage", NumberFormat::u8},   {"torch.BoolStorage", NumberFormat::u8}};
  if (pickle[persistent].kind != PickleKind::persistent)
    return std::nullopt;
  const std::vector<PickleId> &parts = pickle[pickle[persistent].items[0]].items;
  if (parts.size() < 3 || pickle[parts[0]].text != "storage") // ('storage', type, key, ...)
    return std::nullopt;
  const auto format = formats.find(pickle[parts[1]].text);
  if (format == formats.end())
    return std::nullopt;
  const PickleValue &key = pickle[parts[2]];
  return StorageReference{key.kind == PickleKind::integer ? fmt::format("{}", key.integer)
                                                          : std::string(key.text),
                          format->second};
}

std::vector<NamedArray> pickled_arrays(const Pickle &pickle, const StorageSource &storages,
                                       uint64_t file_bytes, const SourceLocation &file) {
  ArrayReader reader(pickle, storages, file_bytes);
  Collector collector(reader, file_bytes, file);
  collector.collect("", find_weights(reader, pickle.root), 0);
  if (collector.arrays.empty())
    throw CompileError(file, "the pickle holds no dict of arrays");
  strip_common_prefix(collector.arrays, "module.");
  return std::move(collector.arrays);
}

} // namespace sinter
