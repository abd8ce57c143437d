// PyTorch's checkpoints (a zip archive since 1.6, a sequence of pickles before) and pickled dicts
// of NumPy arrays.
#include "frontend/archive.h"
#include "frontend/binary_file.h"
#include "frontend/ends_with.h"
#include "frontend/pickled_arrays.h"
#include "ir/diagnostics.h"

#include <algorithm>
#include <map>

namespace sinter {

namespace {

// torch/serialization.py: the low 64 bits of MAGIC_NUMBER = 0x1950a86a20f9469cfc6c.
constexpr int64_t kLegacyMagic = static_cast<int64_t>(0xa86a20f9469cfc6cULL);

/// Twice the weights of VGG-19: a file without an archive around it is read as a whole.
constexpr uint64_t kMaxBytes = uint64_t{5} << 28U;

/// PREFIX/data.pkl, PREFIX/byteorder and the storages PREFIX/data/KEY.
std::vector<NamedArray> read_torch_archive(const SourceLocation &file) {
  Archive archive(file, "PyTorch archive");
  const std::string member = "data.pkl";
  const auto found = std::find_if(archive.members().begin(), archive.members().end(),
                                  [&](const std::string &name) { return ends_with(name, member); });
  if (found == archive.members().end())
    throw CompileError(file, "the archive has no data.pkl: PyTorch did not write it");
  const std::string prefix = found->substr(0, found->size() - member.size());
  if (archive.read(prefix + "byteorder").value_or("little") != "little")
    throw CompileError(file, "its numbers are big-endian, which is not supported");
  const std::string text = *archive.read(*found);
  const Pickle pickle = parse_pickle(text, file);
  std::map<std::string, std::string> storages; // tensors may share one
  for (const PickleValue &value : pickle.values)
    if (value.kind == PickleKind::persistent) {
      const auto id = static_cast<PickleId>(&value - pickle.values.data());
      const auto reference = storage_reference(pickle, id);
      if (!reference || storages.count(reference->key) > 0)
        continue;
      if (auto stored = archive.read(prefix + "data/" + reference->key))
        storages[reference->key] = std::move(*stored);
    }
  const StorageSource source = [&](const std::string &key) -> std::optional<std::string_view> {
    const auto storage = storages.find(key);
    return storage == storages.end() ? std::nullopt
                                     : std::optional<std::string_view>(storage->second);
  };
  return pickled_arrays(pickle, source, archive.file_bytes(), file);
}

/// After the magic number: the protocol, the system, the object, the keys of its storages, and each
/// storage as its number of elements and their bytes.
std::vector<NamedArray> read_legacy(std::string_view rest, uint64_t file_bytes,
                                    const SourceLocation &file) {
  const auto next = [&] {
    Pickle pickle = parse_pickle(rest, file);
    rest.remove_prefix(pickle.size);
    return pickle;
  };
  next(); // protocol version
  next(); // sizes and byte order of the machine
  const Pickle object = next();
  const Pickle keys = next();
  std::map<std::string, NumberFormat> formats;
  for (size_t id = 0; id < object.values.size(); ++id)
    if (const auto reference = storage_reference(object, static_cast<PickleId>(id)))
      formats.emplace(reference->key, reference->format);
  std::map<std::string, std::string_view> storages;
  for (const PickleId id : keys[keys.root].items) {
    const PickleValue &value = keys[id];
    const std::string key = value.kind == PickleKind::integer ? fmt::format("{}", value.integer)
                                                              : std::string(value.text);
    const auto format = formats.find(key);
    uint64_t count = 0;
    for (size_t i = 8; i-- > 0 && rest.size() >= 8;)
      count = count << 8U | static_cast<unsigned char>(rest[i]);
    const auto size =
        static_cast<uint64_t>(format == formats.end() ? 0 : byte_size(format->second));
    if (rest.size() < 8 || size == 0 || count > (rest.size() - 8) / size)
      throw CompileError(file, "the storage {} is truncated or damaged", key);
    storages[key] = rest.substr(8, static_cast<size_t>(count * size));
    rest.remove_prefix(static_cast<size_t>(8 + count * size));
  }
  const StorageSource source = [&](const std::string &key) -> std::optional<std::string_view> {
    const auto storage = storages.find(key);
    return storage == storages.end() ? std::nullopt : std::optional(storage->second);
  };
  return pickled_arrays(object, source, file_bytes, file);
}

/// POSIX 1003.1: the magic of a member's header.
bool is_tar(const std::string &bytes) {
  constexpr size_t kMagicOffset = 257;
  return bytes.size() > kMagicOffset && bytes.compare(kMagicOffset, 5, "ustar") == 0;
}

} // namespace

std::vector<NamedArray> read_pickle(const SourceLocation &file) {
  BinaryFile stream(file);
  if (stream.read(0, std::min<uint64_t>(stream.size(), 4)) == "PK\x03\x04")
    return read_torch_archive(file);
  const std::string bytes = stream.read_all(kMaxBytes);
  if (is_tar(bytes))
    throw CompileError(file, "this is a tar archive of PyTorch before 0.1.10, which is not "
                             "supported: load it there and save it again");
  const Pickle pickle = parse_pickle(bytes, file);
  if (pickle[pickle.root].integer == kLegacyMagic)
    return read_legacy(std::string_view(bytes).substr(pickle.size), bytes.size(), file);
  return pickled_arrays(
      pickle, [](const std::string &) { return std::nullopt; }, bytes.size(), file);
}

} // namespace sinter
