#include "backends/halide/kernel_choice.h"

#include "ir/diagnostics.h"

#include <algorithm>

namespace sinter {

namespace {

/// Options that a decision lists at most, and how much more work than the least they may be
/// estimated to be: estimates are not that wrong.
constexpr size_t kMostOptions = 8;
constexpr double kMostWork = 1.6;

} // namespace

std::string choice_text(const KernelChoice &choice) {
  std::string text;
  for (const auto &[name, value] : choice)
    text += fmt::format("{}{}={}", text.empty() ? "" : " ", name, value);
  return text;
}

KernelChoice Decision::choice(size_t option) const {
  KernelChoice result;
  for (size_t i = 0; i < names.size(); ++i)
    result[names[i]] = options.at(option)[i];
  return result;
}

std::vector<int64_t> Decisions::decide(const std::vector<std::string> &names,
                                       std::vector<Alternative> alternatives) {
  SINTER_ASSERT(!alternatives.empty(), "a decision on {} without alternatives", names.front());
  std::stable_sort(alternatives.begin(), alternatives.end(),
                   [](const Alternative &a, const Alternative &b) { return a.work < b.work; });
  const auto is_chosen = [&](const Alternative &alternative) {
    for (size_t i = 0; i < names.size(); ++i) {
      const auto number = chosen_.find(names[i]);
      if (number == chosen_.end() || number->second != alternative.values[i])
        return false;
    }
    return true;
  };
  const auto chosen = std::find_if(alternatives.begin(), alternatives.end(), is_chosen);
  Decision decision{names, {}, 0};
  for (auto option = alternatives.begin(); option != alternatives.end(); ++option) {
    const bool near = decision.options.size() < kMostOptions &&
                      option->work <= kMostWork * alternatives.front().work;
    if (option == chosen)
      decision.taken = decision.options.size();
    if (near || option == chosen)
      decision.options.push_back(option->values);
  }
  all_.push_back(decision);
  return decision.options[decision.taken];
}

int64_t Decisions::decide(const std::string &name, int64_t estimated,
                          const std::vector<int64_t> &others) {
  std::vector<Alternative> alternatives{{0, {estimated}}};
  for (const int64_t other : others)
    if (std::none_of(alternatives.begin(), alternatives.end(),
                     [&](const Alternative &known) { return known.values.front() == other; }))
      alternatives.push_back({0, {other}});
  return decide(std::vector<std::string>{name}, std::move(alternatives)).front();
}

KernelChoice Decisions::unfit() const {
  KernelChoice rest = chosen_;
  for (const Decision &decision : all_)
    for (const auto &[name, value] : decision.choice(decision.taken))
      if (const auto found = rest.find(name); found != rest.end() && found->second == value)
        rest.erase(found);
  return rest;
}

} // namespace sinter
