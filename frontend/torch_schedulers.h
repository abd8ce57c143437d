// torch.optim.lr_scheduler: learning rates that change from epoch to epoch.
#pragma once

#include "frontend/native.h"

#include <map>

namespace sinter {

/// The rates of a script's optimizers, as its schedulers change them. A script's loop calls their
/// step() once an epoch, so the rates are known when it is evaluated.
class TorchRates {
public:
  /// A scheduler that was made: its first epoch begins.
  void add(Interpreter &, const Configured &scheduler);
  /// scheduler.step(): the next epoch begins.
  void step(Interpreter &, const Configured &scheduler, const SourceLocation &);
  /// An optimizer's rate now; nothing where no scheduler changes it.
  std::optional<double> of(const Configured &optimizer) const;

private:
  std::map<const Configured *, double> rates_;   // of optimizers
  std::map<const Configured *, int64_t> epochs_; // that schedulers are in
};

/// The classes of torch.optim.lr_scheduler.
std::vector<Native> torch_scheduler_natives();

} // namespace sinter
