// What tuning found: for a kernel, what its schedule should choose; for a convolution, which
// algorithm is the fastest.
//
// The file is JSON, an entry a line, sorted:
//
//   {"format": "sinter-tuning-1", "entries": [
//   {"kind": "convolution", "key": "convolution 28x28 64->64 padding 1,1,1,1 inference",
//    "target": "avx512", "cpu": "GenuineIntel 6-143-8 Xeon", "choice": {"winograd_tile": 2}, ...},
//   {"kind": "kernel", "key": "2f0c...", "name": "conv2d+relu", "choice": {"tile_rows": 7}, ...}
//   ]}
//
// A kernel's key is the hash of its text, which holds neither names nor places in a script.
#pragma once

#include "backends/halide/kernel_choice.h"

#include <map>
#include <string>
#include <tuple>
#include <vector>

namespace sinter {

struct TuningEntry {
  std::string kind;   // "kernel" or "convolution"
  std::string key;    // content_hash of a kernel's text, or a convolution's description
  std::string target; // the variant: "avx512"
  std::string cpu;    // that it was measured on
  std::string name;   // for readers
  KernelChoice choice;
  double microseconds = 0;
  double estimated_microseconds = 0; // of what the estimates choose
};

/// The choice of a convolution's algorithm: 0 for a direct one, or Winograd's tile.
constexpr const char *kWinogradTile = "winograd_tile";

class TuningDatabase {
public:
  /// Of a file's text. Throws CompileError that names `path` and a line for whatever is no such
  /// file.
  static TuningDatabase parse(const std::string &text, const std::string &path);
  /// The inverse.
  std::string text() const;

  /// The entry of that CPU; of any, the smallest name first, where `cpu` is empty. Null if none.
  const TuningEntry *find(const std::string &kind, const std::string &key,
                          const std::string &target, const std::string &cpu) const;
  /// Adds the entry, in place of one of the same kind, key, target and CPU.
  void put(TuningEntry);
  void remove(const TuningEntry &);
  bool empty() const { return entries_.empty(); }
  std::vector<TuningEntry> entries() const;

private:
  using Key = std::tuple<std::string, std::string, std::string, std::string>;
  static Key key_of(const TuningEntry &);
  std::map<Key, TuningEntry> entries_;
};

/// The database in a file; an empty one when there is no file.
TuningDatabase load_tuning(const std::string &path);

/// Adds and removes entries in the file, whatever others have put there meanwhile: it is locked,
/// read anew, written aside and renamed. Throws CompileError, and leaves the file as it is, when it
/// is no database or cannot be written.
void update_tuning(const std::string &path, const std::vector<TuningEntry> &put,
                   const std::vector<TuningEntry> &remove);

} // namespace sinter
