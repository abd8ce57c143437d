#include "tuning/tune.h"

#include "backends/halide/kernel_cache.h"
#include "backends/verify/check_kernels.h"
#include "backends/verify/random_inputs.h"
#include "ir/diagnostics.h"
#include "ir/op.h"
#include "tuning/algorithm_search.h"
#include "tuning/cpu_model.h"
#include "tuning/kernel_search.h"
#include "tuning/time_budget.h"

extern "C" {
#include "runtime/thread_pool.h"
}

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <set>

namespace sinter {

namespace {

/// Shares of the time after which the search for algorithms, and that for kernels' choices, ends.
constexpr double kAlgorithmsEnd = 0.35;
constexpr double kKernelsEnd = 0.8;
/// The share of the time that one setting's steps may take in turns.
constexpr double kLongestTurns = 0.08;
/// As many show how long a larger batch takes.
constexpr int32_t kFewSamples = 4;
/// Of a setting's step: less is not worth the compilations.
constexpr double kLeastShare = 0.02;
/// Samples that the reference computes, and about how fast it does: it takes its time.
constexpr int64_t kCheckedBatch = 2;
constexpr double kReferenceFlops = 5e8;
/// Seconds a setting, as multiples of slice(): for a tile, for all tiles, for what was chosen, and
/// for whole steps at the end.
constexpr double kTile = 2, kTiles = 5, kConfirmation = 4, kDecision = 10;
/// What a convolution's algorithm may be.
constexpr std::array<int64_t, 3> kTilesToTry{4, 2, 0};
/// What whole steps must gain, all settings together, and may lose in one.
constexpr double kStepGain = 0.995;
constexpr double kStepLoss = 1.01;

/// A distinct kernel with the places where it runs, by setting.
struct TunedPlace {
  KernelSearch search;
  std::string name;                                // for readers
  std::map<size_t, std::vector<size_t>> positions; // setting -> kernels of the plan
  size_t measured = 0;                             // candidates
  double seconds = 0, estimated_seconds = 0;       // of the best, where it gains the most
};

class Tuner {
public:
  Tuner(const Model &model, const TuneOptions &options)
      : model_(model), options_(options), variant_(variants_for_target(options.target).back()),
        budget_(options.seconds) {}

  TuneResult run() {
    estimated_program_ = build({});
    program_ = estimated_program_;
    estimated_ = timed(estimated_program_, {});
    settings_ = fit_settings(*estimated_, options_.settings, options_.seconds, options_.log);
    if (options_.program.math == Math::fast)
      choose_algorithms();
    choose_kernels();
    if (has_choices())
      confirm_kernels();
    if (has_choices())
      check_against_reference();
    if (has_choices() || !convolutions_.empty())
      decide();
    return std::move(result_);
  }

private:
  using Timed = std::unique_ptr<TimedProgram>;
  using Memories = std::vector<std::unique_ptr<StepMemory>>; // by setting

  /// Seconds for which a setting's steps take turns, in the rounds of the search.
  double slice() const { return std::clamp(options_.seconds / 300, 0.02, 0.3); }
  /// What it takes to time a program beside another, so many slices a setting.
  double timing(double slices) const { return settings_.seconds_in_turns(slices * slice()); }
  /// The same of a program that is to be built with new kernels, and to get memory.
  double trying(double slices) const {
    return longest_build_ + settings_.opening_seconds + timing(slices);
  }
  double deciding() const {
    return shortest_build_ + settings_.opening_seconds + timing(kDecision);
  }
  /// What comes when the search is over, but for checks, which take what is left.
  double closing() const { return shortest_build_ + timing(kConfirmation) + deciding(); }
  void log(const std::string &text) const {
    if (options_.log)
      options_.log(text);
  }
  static bool is_training(const StepSetting &setting) { return setting.phase == SINTER_TRAIN; }

  Program build(const TunedAlgorithms &algorithms) const {
    ProgramOptions options = options_.program;
    options.algorithms = algorithms;
    return build_program(model_, options);
  }

  Timed timed(const Program &program, const KernelTuning &tuning) {
    const double left = budget_.left();
    Timed result = std::make_unique<TimedProgram>(
        program, TimedProgramOptions{variant_.halide_target, options_.cache_directory, tuning});
    const double seconds = left - budget_.left();
    longest_build_ = std::max(longest_build_, seconds);
    shortest_build_ = shortest_build_ == 0 ? seconds : std::min(shortest_build_, seconds);
    return result;
  }

  StepMemory &memory(Memories &memories, const TimedProgram &program, size_t setting) const {
    memories.resize(settings_.all.size());
    if (!memories[setting])
      memories[setting] = std::make_unique<StepMemory>(program, settings_.all[setting]);
    return *memories[setting];
  }

  bool has_choices() const {
    return std::any_of(kernels_.begin(), kernels_.end(),
                       [](const auto &known) { return !known.second.search.best().empty(); });
  }

  void choose_algorithms();
  void try_tile(int64_t tile, std::map<std::string, TimedConvolution> &best);
  bool is_faster_program(const TimedProgram &, Memories &, double seconds,
                         std::vector<TunedStep> &steps);
  void choose_kernels();
  void find_kernels();
  bool try_round();
  void confirm_kernels();
  std::vector<std::vector<StepTimes>> time_settings(const TimedProgram &candidate, double seconds);
  Ratios ratios_of(TunedPlace &, const std::vector<std::vector<StepTimes>> &);
  KernelTuning chosen() const;
  void check_against_reference();
  void decide();
  void add_entries();
  void add_entry(TuningEntry entry, bool is_choice, const KernelChoice &estimated);

  const Model &model_;
  const TuneOptions &options_;
  const Variant variant_;
  const TimeBudget budget_;
  double longest_build_ = 0, longest_round_ = 0; // seconds
  double shortest_build_ = 0;                    // of kernels that were compiled before
  FittedSettings settings_;
  size_t tiles_tried_ = 0;              // by all convolutions
  Program estimated_program_, program_; // as the cost model has it; with the chosen algorithms
  Timed estimated_, baseline_;          // of the two, without choices of kernels
  Memories estimated_memories_, memories_;
  std::map<std::string, int64_t> estimated_tiles_;
  std::map<std::string, TimedConvolution> convolutions_; // those whose algorithm is another one
  std::map<std::string, TunedPlace> kernels_;            // by text
  TuneResult result_;
};

/// Builds everything with one tile, and sees what each convolution makes of it.
void Tuner::try_tile(int64_t tile, std::map<std::string, TimedConvolution> &best) {
  const Program program = build([&](const std::string &) { return std::optional(tile); });
  const Timed candidate = timed(program, {});
  Memories memories;
  std::map<std::string, std::pair<std::vector<double>, std::vector<double>>> seconds;
  for (size_t s = 0; s < settings_.all.size(); ++s) {
    const StepSetting &setting = settings_.all[s];
    const auto times =
        time_in_turns({{estimated_.get(), &memory(estimated_memories_, *estimated_, s)},
                       {candidate.get(), &memory(memories, *candidate, s)}},
                      kTile * slice());
    const bool training = is_training(setting);
    for (const auto kind : {&StepTimes::undisturbed, &StepTimes::typical}) {
      const auto before =
          convolution_seconds(plan_of(estimated_program_, setting.phase), training, times[0].*kind);
      for (const auto &[description, after] :
           convolution_seconds(plan_of(program, setting.phase), training, times[1].*kind)) {
        seconds[description].first.push_back(after);
        seconds[description].second.push_back(before.at(description));
      }
    }
    memories[s].reset();
  }
  for (const auto &[description, times] : seconds)
    if (estimated_tiles_.at(description) != tile)
      consider_tile(best[description], tile, times.first, times.second);
  ++tiles_tried_;
  ++result_.candidates;
}

void Tuner::choose_algorithms() {
  for (const StepSetting &setting : settings_.all)
    for (const auto &[description, tile] :
         convolution_tiles(plan_of(estimated_program_, setting.phase), is_training(setting)))
      estimated_tiles_[description] = tile;
  if (estimated_tiles_.empty())
    return;
  std::map<std::string, TimedConvolution> best;
  for (const int64_t tile : kTilesToTry)
    if (budget_.fits(trying(kTile), closing(), kAlgorithmsEnd))
      try_tile(tile, best);
  std::map<std::string, TimedConvolution> faster;
  for (const auto &[description, timed_convolution] : best)
    if (timed_convolution.seconds > 0)
      faster.emplace(description, timed_convolution);
  if (faster.empty() || !budget_.fits(trying(kTiles), closing()))
    return;
  const Program program = build([&](const std::string &description) {
    const auto found = faster.find(description);
    return found == faster.end() ? std::optional<int64_t>() : std::optional(found->second.tile);
  });
  const Timed candidate = timed(program, {});
  Memories memories;
  std::vector<TunedStep> steps;
  if (!is_faster_program(*candidate, memories, kTiles * slice(), steps))
    return;
  for (const auto &[description, timed_convolution] : faster)
    log(fmt::format("{}: {} instead of {}", description, timed_convolution.tile,
                    estimated_tiles_.at(description)));
  convolutions_ = std::move(faster);
  program_ = program;
}

/// Whole steps beside those of the cost model's program, setting by setting.
bool Tuner::is_faster_program(const TimedProgram &candidate, Memories &memories, double seconds,
                              std::vector<TunedStep> &steps) {
  double product = 1;
  bool loses = false;
  for (size_t s = 0; s < settings_.all.size(); ++s) {
    const auto times =
        time_in_turns({{estimated_.get(), &memory(estimated_memories_, *estimated_, s)},
                       {&candidate, &memory(memories, candidate, s)}},
                      seconds);
    const double ratio = std::max(times[1].undisturbed.seconds / times[0].undisturbed.seconds,
                                  times[1].typical.seconds / times[0].typical.seconds);
    product *= ratio;
    loses = loses || ratio > kStepLoss;
    steps.push_back({settings_.all[s], times[0].typical.seconds, times[1].typical.seconds});
  }
  return !loses && product < kStepGain;
}

/// Steps of the baseline and of the candidate in the same memory, by setting.
std::vector<std::vector<StepTimes>> Tuner::time_settings(const TimedProgram &candidate,
                                                         double seconds) {
  std::vector<std::vector<StepTimes>> times;
  for (size_t s = 0; s < settings_.all.size(); ++s) {
    StepMemory &shared = memory(memories_, *baseline_, s);
    times.push_back(time_in_turns({{baseline_.get(), &shared}, {&candidate, &shared}}, seconds));
  }
  return times;
}

/// Also notes the times where it gains the most.
Ratios Tuner::ratios_of(TunedPlace &place, const std::vector<std::vector<StepTimes>> &times) {
  Ratios ratios;
  for (const auto &[setting, kernels] : place.positions)
    for (const auto kind : {&StepTimes::undisturbed, &StepTimes::typical}) {
      double before = 0, after = 0;
      for (const size_t k : kernels) {
        before += (times[setting][0].*kind).kernels[k];
        after += (times[setting][1].*kind).kernels[k];
      }
      ratios.push_back(after / before);
      if (ratios.back() <= *std::min_element(ratios.begin(), ratios.end())) {
        const auto count = static_cast<double>(kernels.size());
        place.seconds = after / count;
        place.estimated_seconds = before / count;
      }
    }
  return ratios;
}

/// The distinct kernels that take a part of some step worth looking at.
void Tuner::find_kernels() {
  const KernelTuning known = options_.known.kernels();
  const auto times = time_settings(*baseline_, slice());
  for (size_t s = 0; s < settings_.all.size(); ++s) {
    const double step = times[s][0].typical.seconds;
    result_.steps.push_back({settings_.all[s], step, step}); // until something is found
    const Plan &plan = plan_of(program_, settings_.all[s].phase);
    for (size_t k = 0; k < plan.kernels.size(); ++k) {
      const std::string text = tuning_text(plan, static_cast<int>(k));
      if (kernels_.count(text) == 0) {
        const auto choice = known ? known(text, variant_) : std::nullopt;
        kernels_.emplace(text, TunedPlace{KernelSearch(plan, static_cast<int>(k), variant_,
                                                       choice ? choice->choice : KernelChoice{}),
                                          plan.kernels[k].name,
                                          {}});
      }
      kernels_.at(text).positions[s].push_back(k);
    }
  }
  for (auto place = kernels_.begin(); place != kernels_.end();) {
    double share = 0;
    for (const auto &[setting, positions] : place->second.positions) {
      double seconds = 0;
      for (const size_t k : positions)
        seconds += times[setting][0].typical.kernels[k];
      share = std::max(share, seconds / times[setting][0].typical.seconds);
    }
    place = share < kLeastShare ? kernels_.erase(place) : std::next(place);
  }
}

/// The next option of every kernel at once; false when none has any.
bool Tuner::try_round() {
  std::map<std::string, KernelChoice> trials;
  for (auto &[text, place] : kernels_)
    if (const std::optional<KernelChoice> trial = place.search.next())
      trials.emplace(text, *trial);
  if (trials.empty())
    return false;
  const Timed candidate =
      timed(program_, [&](const std::string &text, const Variant &) -> std::optional<TunedKernel> {
        const auto trial = trials.find(text);
        return trial == trials.end() ? std::nullopt : std::optional(TunedKernel{trial->second});
      });
  const auto times = time_settings(*candidate, slice());
  for (const auto &[text, trial] : trials) {
    TunedPlace &place = kernels_.at(text);
    place.search.report(ratios_of(place, times));
    ++place.measured;
    ++result_.candidates;
  }
  return true;
}

void Tuner::choose_kernels() {
  baseline_ = timed(program_, {});
  find_kernels();
  size_t rounds = 0;
  for (bool more = true; more; rounds += more ? 1 : 0) {
    const double begin = budget_.left();
    const double expected = rounds > 0 ? longest_round_ : longest_build_ + timing(1);
    more = budget_.fits(expected, closing(), kKernelsEnd) && try_round();
    longest_round_ = std::max(longest_round_, begin - budget_.left());
  }
  log(fmt::format("{} kernels, {} rounds, {} candidates", kernels_.size(), rounds,
                  result_.candidates));
}

KernelTuning Tuner::chosen() const {
  std::map<std::string, KernelChoice> choices;
  for (const auto &[text, place] : kernels_)
    if (!place.search.best().empty())
      choices.emplace(text, place.search.best());
  return [choices](const std::string &text, const Variant &) -> std::optional<TunedKernel> {
    const auto found = choices.find(text);
    return found == choices.end() ? std::nullopt : std::optional(TunedKernel{found->second});
  };
}

/// The best of many measurements was lucky, too: what does not gain again is forgotten.
void Tuner::confirm_kernels() {
  const Timed candidate = timed(program_, chosen());
  const auto times = time_settings(*candidate, kConfirmation * slice());
  for (auto &[text, place] : kernels_) {
    const Ratios ratios = ratios_of(place, times);
    if (!is_faster(ratios, Ratios(ratios.size(), 1)))
      place.search.forget();
  }
}

double reference_seconds(const Plan &plan, const Kernel &kernel) {
  double flops = 0;
  for (const NodeId node : kernel.nodes)
    flops += cost(plan.graph, node).flops_per_sample;
  return flops * static_cast<double>(kCheckedBatch) / kReferenceFlops;
}

/// Each chosen kernel once, where it is first; what there is no time to check is forgotten.
void Tuner::check_against_reference() {
  std::vector<const Plan *> plans{&program_.infer};
  if (program_.train)
    plans.push_back(&*program_.train);
  KernelOptions kernels;
  kernels.cache_dir = options_.cache_directory;
  kernels.tuning = chosen();
  const KernelLibrary library(plans, variant_, kernels, sinter_processor_count());
  std::set<std::string> right;
  for (size_t p = 0; p < plans.size(); ++p) {
    const Plan &plan = *plans[p];
    std::vector<std::string> checked;
    const auto wanted = [&](size_t k) {
      const std::string text = tuning_text(plan, static_cast<int>(k));
      const auto place = kernels_.find(text);
      if (place == kernels_.end() || place->second.search.best().empty() || right.count(text) > 0 ||
          !budget_.fits(reference_seconds(plan, plan.kernels[k]), deciding()))
        return false;
      checked.push_back(text);
      return true;
    };
    const auto any = [&] {
      for (size_t k = 0; k < plan.kernels.size(); ++k)
        if (wanted(k))
          return true;
      return false;
    };
    if (!any())
      continue;
    checked.clear();
    const auto checks = check_kernels(library, p, plan, kCheckedBatch,
                                      random_inputs(plan.graph, kCheckedBatch, /*seed=*/1), wanted);
    for (size_t i = 0; i < checks.size(); ++i)
      if (checks[i].ok)
        right.insert(checked[i]);
      else
        log(fmt::format("{} ({}) is wrong, and left out", checks[i].name, checks[i].algorithm));
  }
  for (auto &[text, place] : kernels_)
    if (right.count(text) == 0)
      place.search.forget();
}

/// Whole steps have the last word: a loss may be noise once, but not twice. Without a gain all
/// stays as it is known.
void Tuner::decide() {
  const Timed candidate = timed(program_, chosen());
  Memories own;
  Memories &memories = convolutions_.empty() ? estimated_memories_ : own;
  bool faster = false;
  for (int times = 0; times < 2 && !faster; ++times)
    if (budget_.fits(timing(kDecision), 0)) {
      result_.steps.clear();
      faster = is_faster_program(*candidate, memories, kDecision * slice(), result_.steps);
    }
  if (faster)
    add_entries();
}

/// A choice is found; where the cost model is not beaten, what says otherwise is withdrawn, and
/// overruled where it came with the compiler.
void Tuner::add_entry(TuningEntry entry, bool is_choice, const KernelChoice &estimated) {
  entry.target = variant_.name;
  entry.cpu = cpu_model();
  if (!is_choice && shipped_tuning().find(entry.kind, entry.key, entry.target, "")) {
    entry.choice = estimated;
    entry.microseconds = entry.estimated_microseconds;
    is_choice = true;
  }
  (is_choice ? result_.found : result_.withdrawn).push_back(std::move(entry));
}

void Tuner::add_entries() {
  constexpr double kMicroseconds = 1e6;
  for (const auto &[description, tile] : estimated_tiles_) {
    const auto found = convolutions_.find(description);
    if (found == convolutions_.end() && tiles_tried_ < kTilesToTry.size())
      continue; // what was known may still be right
    TuningEntry entry{"convolution", description, "", "", "", {}, 0, 0};
    if (found != convolutions_.end()) {
      entry.choice = {{kWinogradTile, found->second.tile}};
      entry.microseconds = found->second.seconds * kMicroseconds;
      entry.estimated_microseconds = found->second.estimated_seconds * kMicroseconds;
    }
    add_entry(entry, found != convolutions_.end(), {{kWinogradTile, tile}});
  }
  for (const auto &[text, place] : kernels_) {
    if (place.measured == 0)
      continue;
    TuningEntry entry{"kernel", content_hash(text), "", "", place.name, place.search.best(), 0, 0};
    entry.microseconds = place.seconds * kMicroseconds;
    entry.estimated_microseconds = place.estimated_seconds * kMicroseconds;
    add_entry(entry, !place.search.best().empty(), place.search.estimated());
  }
}

} // namespace

TuneResult tune(const Model &model, const TuneOptions &options) {
  SINTER_ASSERT(!options.settings.empty(), "nothing to measure");
  return Tuner(model, options).run();
}

} // namespace sinter
