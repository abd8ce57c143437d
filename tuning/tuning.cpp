#include "tuning/tuning.h"

#include "backends/halide/kernel_cache.h"
#include "tuning/cpu_model.h"
#include "tuning/shipped_table.h"

#include <set>

namespace sinter {

struct Tuning::Tables {
  TuningDatabase own, shipped;
  std::string cpu;

  const TuningEntry *find(const std::string &kind, const std::string &key,
                          const std::string &target) const {
    const TuningEntry *entry = own.find(kind, key, target, cpu);
    return entry ? entry : shipped.find(kind, key, target, "");
  }
};

const TuningDatabase &shipped_tuning() {
  static const TuningDatabase table =
      TuningDatabase::parse({kShippedTable, sizeof(kShippedTable)}, "the shipped tuning table");
  return table;
}

Tuning::Tuning(TuningDatabase own, TuningDatabase shipped)
    : tables_(
          std::make_shared<const Tables>(Tables{std::move(own), std::move(shipped), cpu_model()})) {
}

KernelTuning Tuning::kernels() const {
  if (!tables_)
    return {};
  return [tables = tables_](const std::string &text,
                            const Variant &variant) -> std::optional<TunedKernel> {
    const std::string key = content_hash(text);
    const TuningEntry *entry = tables->find("kernel", key, variant.name);
    if (!entry)
      return std::nullopt;
    const bool shipped = entry == tables->shipped.find("kernel", key, variant.name, "");
    return TunedKernel{entry->choice, entry->microseconds, entry->estimated_microseconds, shipped};
  };
}

TunedAlgorithms Tuning::algorithms(const std::string &target) const {
  if (!tables_)
    return {};
  return [*this, target](const std::string &description) -> std::optional<int64_t> {
    const TuningEntry *entry = convolution(description, target);
    return entry ? std::optional(entry->choice.at(kWinogradTile)) : std::nullopt;
  };
}

const TuningEntry *Tuning::convolution(const std::string &description,
                                       const std::string &target) const {
  const TuningEntry *entry = tables_ ? tables_->find("convolution", description, target) : nullptr;
  if (!entry)
    return nullptr;
  const auto tile = entry->choice.find(kWinogradTile);
  const std::set<int64_t> tiles{0, 2, 4};
  return tile != entry->choice.end() && tiles.count(tile->second) > 0 ? entry : nullptr;
}

std::string Tuning::fingerprint() const {
  return tables_ ? content_hash(tables_->own.text() + tables_->shipped.text()) : "";
}

} // namespace sinter
