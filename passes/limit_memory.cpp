#include "passes/limit_memory.h"

#include "ir/diagnostics.h"
#include "ir/op.h"
#include "ir/program_memory.h"
#include "passes/recompute_activations.h"

#include <algorithm>
#include <array>

namespace sinter {

namespace {

using Dropped = Recomputation::Dropped;

/// Evenly spaced kept values: how many runs of dropped ones lie between them.
constexpr std::array<int, 9> kRuns = {2, 3, 4, 6, 8, 12, 16, 24, 32};
/// About as many plans are made in each of the search's parts.
constexpr size_t kMostSteps = 64;

class Search {
public:
  Search(const Plan &plan, const std::function<Plan(Graph)> &make_plan, int64_t batch,
         int64_t limit)
      : recomputation_(plan), make_plan_(make_plan), batch_(batch), limit_(limit),
        least_(plan.arena_bytes(batch)), least_choice_(count(), false) {}

  /// The plan with the least work within the limit, or nothing.
  std::optional<Plan> run() {
    drop_one_by_one();
    for (int runs : kRuns)
      consider(drop_runs(runs));
    for (int64_t before = least_ + 1; !best_ && least_ < before;) {
      before = least_;
      change_least();
    }
    if (!best_)
      return std::nullopt;
    return_values();
    return make_plan_(recomputation_.apply(*best_));
  }

  /// The smallest arena of all that were tried.
  int64_t least() const { return least_; }
  /// How many values the plan computes again.
  int64_t dropped() const { return std::count(best_->begin(), best_->end(), true); }

private:
  size_t count() const { return recomputation_.kept().size(); }
  double bytes(size_t i) const { return static_cast<double>(recomputation_.kept()[i].bytes); }

  /// The arena of the choice, which is noted when it is the best so far.
  int64_t consider(const Dropped &dropped) {
    const int64_t arena = make_plan_(recomputation_.apply(dropped)).arena_bytes(batch_);
    if (arena < least_) {
      least_ = arena;
      least_choice_ = dropped;
    }
    const double work = recomputation_.work(dropped);
    if (arena <= limit_ && (!best_ || work < best_work_)) {
      best_ = dropped;
      best_work_ = work;
    }
    return arena;
  }

  /// The values whose memory costs the least to free, a few at a time where there are many.
  std::vector<size_t> cheapest(const Dropped &dropped, const Dropped &refused) const {
    Dropped with = dropped;
    const double before = recomputation_.work(dropped);
    std::vector<std::pair<double, size_t>> by_price;
    for (size_t i = 0; i < count(); ++i)
      if (!dropped[i] && !refused[i]) {
        with[i] = true;
        by_price.emplace_back((recomputation_.work(with) - before) / bytes(i), i);
        with[i] = false;
      }
    std::sort(by_price.begin(), by_price.end());
    std::vector<size_t> values;
    for (const auto &[price, value] : by_price)
      if (values.size() < 1 + count() / kMostSteps)
        values.push_back(value);
    return values;
  }

  void drop_one_by_one() {
    Dropped dropped(count(), false), refused(count(), false);
    int64_t arena = least_;
    while (arena > limit_) {
      const std::vector<size_t> values = cheapest(dropped, refused);
      if (values.empty())
        return;
      Dropped with = dropped;
      for (size_t i : values)
        with[i] = true;
      const int64_t now = consider(with);
      for (size_t i : values)
        refused[i] = now >= arena;
      if (now < arena) {
        arena = now;
        dropped = std::move(with);
      }
    }
  }

  /// All but a value at every `runs`th part of the bytes.
  Dropped drop_runs(int runs) const {
    double total = 0;
    for (size_t i = 0; i < count(); ++i)
      total += bytes(i);
    Dropped dropped(count(), true);
    double run = 0;
    for (size_t i = 0; i < count(); ++i)
      if (run += bytes(i); run > total / runs) {
        dropped[i] = false;
        run = 0;
      }
    return dropped;
  }

  /// From the smallest arena on: keeps what was dropped, or drops what was kept, where that makes a
  /// smaller one. It may, either way: a run of copies is in memory as a whole.
  void change_least() {
    const size_t together = 1 + count() / kMostSteps;
    for (size_t first = 0; first < count() && !best_; first += together) {
      Dropped changed = least_choice_;
      for (size_t i = first; i < std::min(first + together, count()); ++i)
        changed[i].flip();
      consider(changed);
    }
  }

  /// Keeps again what was dropped, the dearest first, while the limit holds.
  void return_values() {
    std::vector<size_t> order;
    std::vector<double> saved(count());
    for (size_t i = 0; i < count(); ++i)
      if ((*best_)[i]) {
        Dropped without = *best_;
        without[i] = false;
        saved[i] = best_work_ - recomputation_.work(without);
        order.push_back(i);
      }
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return saved[a] > saved[b]; });
    order.resize(std::min(order.size(), kMostSteps));
    for (size_t i : order) {
      Dropped without = *best_;
      without[i] = false;
      consider(without);
    }
  }

  const Recomputation recomputation_;
  const std::function<Plan(Graph)> &make_plan_;
  const int64_t batch_;
  const int64_t limit_;
  int64_t least_;
  Dropped least_choice_;
  std::optional<Dropped> best_;
  double best_work_ = 0;
};

[[noreturn]] void refuse(Use use, const MemoryLimit &limit, int64_t needed, const char *even) {
  throw CompileError({},
                     "{} with a batch of {} needs {} bytes of memory{}, more than the limit of {}: "
                     "take a smaller batch, smaller images or a smaller model",
                     name(use), limit.batch, needed, even, limit.bytes);
}

double flops_per_sample(const Graph &graph) {
  double flops = 0;
  for (int i = 0; i < graph.size(); ++i)
    flops += cost(graph, {i}).flops_per_sample;
  return flops;
}

} // namespace

void limit_memory(Program &program, const MemoryLimit &limit,
                  const std::function<Plan(Graph)> &plan) {
  for (Use use : {Use::inference, Use::evaluation})
    if (use == Use::inference || program.eval)
      if (const int64_t needed = measure_memory(program, use, limit.batch).total();
          needed > limit.bytes)
        refuse(use, limit, needed, "");
  if (!program.train)
    return;
  const ProgramMemory needed = measure_memory(program, Use::training, limit.batch);
  if (needed.total() <= limit.bytes)
    return;
  const int64_t around = needed.total() - needed.arena; // the arena is the training step's
  Search search(*program.train, plan, limit.batch, limit.bytes - around);
  std::optional<Plan> smaller = search.run();
  if (!smaller)
    refuse(Use::training, limit, around + search.least(),
           " at least, with activations computed again");
  const double more_flops =
      flops_per_sample(smaller->graph) / flops_per_sample(program.train->graph) - 1;
  program.recomputed = {search.dropped(), needed.total(),
                        around + smaller->arena_bytes(limit.batch), limit.batch, more_flops};
  program.train = std::move(smaller);
}

} // namespace sinter
