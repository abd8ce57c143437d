// Python pickles, read as data. Nothing is ever called: what a pickle asks to call stays a value
// that says so, and only the few names that arrays and tensors are made of may appear at all.
#pragma once

#include "ir/source_location.h"

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace sinter {

/// Values refer to each other by index: a pickle may share them, and even make cycles.
using PickleId = int32_t;

enum class PickleKind {
  none,
  boolean,
  integer,
  real,
  text,
  bytes,
  list, // also sets
  tuple,
  dict,
  global,    // `text` is "collections.OrderedDict"
  call,      // items[0](*items[1]), with its state and pairs
  persistent // what the pickle's environment knows by items[0]
};

struct PickleValue {
  PickleKind kind = PickleKind::none;
  int64_t integer = 0; // boolean, integer
  double real = 0;
  std::string_view text;       // text, bytes, global: lies in the pickle, or in Pickle::texts
  std::vector<PickleId> items; // list, tuple; call: the callable and its arguments
  std::vector<std::pair<PickleId, PickleId>> pairs; // dict; call: items that were set on it
  PickleId state = -1;                              // call: what BUILD gave it
};

struct Pickle {
  std::vector<PickleValue> values;
  std::deque<std::string> texts; // of strings that are not in the pickle as they are
  PickleId root = -1;
  size_t size = 0; // bytes that it took

  const PickleValue &operator[](PickleId id) const { return values[static_cast<size_t>(id)]; }
};

/// Reads the pickle at the beginning of `bytes`, protocols 0 to 5; `bytes` must outlive it. Throws
/// when it is damaged or names anything that is not part of an array, a tensor or a state dict.
Pickle parse_pickle(std::string_view bytes, const SourceLocation &file);

} // namespace sinter
