// The time that a search may take, of which its parts take shares.
#pragma once

extern "C" {
#include "runtime/profile.h"
}

namespace sinter {

class TimeBudget {
public:
  /// Begins now.
  explicit TimeBudget(double seconds) : seconds_(seconds), begin_(sinter_seconds()) {}

  double seconds() const { return seconds_; }
  double left() const { return begin_ + seconds_ - sinter_seconds(); }
  /// Whether what takes so many seconds ends while `reserved` are left, and before so large a share
  /// of the time has passed.
  bool fits(double seconds, double reserved, double share = 1) const {
    return seconds + reserved <= left() && seconds_ - left() + seconds <= share * seconds_;
  }

private:
  double seconds_, begin_;
};

} // namespace sinter
