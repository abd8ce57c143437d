// The arrays and tensors in a pickle.
#pragma once

#include "frontend/pickle.h"
#include "frontend/weight_file.h"

#include <functional>

namespace sinter {

/// The bytes of a PyTorch storage by its key; nothing when there is none.
using StorageSource = std::function<std::optional<std::string_view>(const std::string &key)>;

/// The arrays of a dict of arrays or tensors, in its order; dicts in it give names with dots. Of a
/// checkpoint with the weights under "state_dict", "model" and the like, only those are taken, and
/// the "module." of DataParallel is left out. `file_bytes` bounds what the arrays may amount to.
std::vector<NamedArray> pickled_arrays(const Pickle &, const StorageSource &, uint64_t file_bytes,
                                       const SourceLocation &file);

/// A storage as PyTorch pickles refer to it.
struct StorageReference {
  std::string key;
  NumberFormat format = NumberFormat::f32;
};
/// Of a persistent value; nothing when it is no storage of numbers.
std::optional<StorageReference> storage_reference(const Pickle &, PickleId persistent);

} // namespace sinter
