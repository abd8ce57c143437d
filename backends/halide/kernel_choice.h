// What schedules decide by estimates, and may be told to decide otherwise: by what was measured.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace sinter {

/// Values for some of a schedule's decisions, by name: {tile_rows: 7, tile_vectors: 2}. Whatever is
/// not named, the schedule decides by its estimates.
using KernelChoice = std::map<std::string, int64_t>;

/// "tile_rows=7 tile_vectors=2"; "" of none.
std::string choice_text(const KernelChoice &);

/// Numbers that are decided together, what they may be (the estimated best first), and which of
/// these options was taken.
struct Decision {
  std::vector<std::string> names;
  std::vector<std::vector<int64_t>> options;
  size_t taken = 0;

  /// The numbers of an option by name.
  KernelChoice choice(size_t option) const;
};

/// What one of a decision's options is estimated to cost.
struct Alternative {
  double work = 0;
  std::vector<int64_t> values;
};

/// The decisions of one kernel's schedule: each is asked for where it is made, with all that is
/// legal there, so that the same code applies a choice, checks it and lists what else there is.
class Decisions {
public:
  explicit Decisions(KernelChoice chosen = {}) : chosen_(std::move(chosen)) {}

  /// The numbers that were chosen, if they are one of the alternatives, else those of the least
  /// work (of equal ones the first). There must be one.
  std::vector<int64_t> decide(const std::vector<std::string> &names,
                              std::vector<Alternative> alternatives);
  /// The same of a number that is `estimated`, or one of the others.
  int64_t decide(const std::string &name, int64_t estimated, const std::vector<int64_t> &others);

  const std::vector<Decision> &all() const { return all_; }
  /// What was chosen and could not be done: no decision has that name, or that option.
  KernelChoice unfit() const;

private:
  KernelChoice chosen_;
  std::vector<Decision> all_;
};

} // namespace sinter
