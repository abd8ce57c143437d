// What a schedule decides beside the loops themselves.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sinter {

/// A sum reads a panel of an argument, as often as a loop around it goes round, and then the panel
/// behind it: its innermost loop asks for that one, a part in each round.
struct Prefetch {
  std::string sum;      // the Func's name
  std::string argument; // the ImageParam's name
  std::string rounds;   // the loop's variable
  int64_t panel;        // elements
};

/// What a tile does with its sums reads vectors of an argument that nothing has read before: the
/// tile asks for them before it begins to sum.
struct EarlyRead {
  std::string sum;      // the Func's name
  std::string argument; // the ImageParam's name
};

struct KernelSchedule {
  std::string algorithm; // "direct 14x32"
  std::vector<Prefetch> prefetches = {};
  std::vector<EarlyRead> early_reads = {};
};

} // namespace sinter
