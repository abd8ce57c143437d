#include "backends/halide/build_kernel.h"
#include "backends/halide/kernel_cache.h"
#include "backends/halide/kernel_graph.h"
#include "backends/halide/kernels.h"
#include "ir/diagnostics.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <fmt/format.h>
#include <map>
#include <mutex>
#include <thread>

namespace sinter {

namespace {

/// One distinct kernel for one variant.
struct Task {
  const KernelGraph *kernel;
  const Variant *variant;
  std::optional<TunedKernel> tuned;
  std::string key;
  std::string symbol;
  KernelObject result;
};

std::optional<TunedKernel> find_choice(const KernelTuning &tuning, const std::string &text,
                                       const Variant &variant) {
  return tuning ? tuning(text, variant) : std::nullopt;
}

std::string choice_of(const std::optional<TunedKernel> &tuned) {
  return tuned ? choice_text(tuned->choice) : "";
}

/// All that decides the object, the versions of the schedules and of Halide included.
std::string cache_key(const std::string &text, const Variant &variant,
                      const std::optional<TunedKernel> &tuned, bool checked) {
  return fmt::format("{}target {}\nchoice {}\nassertions {}\nschedules {}\n", text,
                     full_target(variant), choice_of(tuned), checked ? "kept" : "removed",
                     SINTER_SCHEDULE_VERSION);
}

std::string kernel_symbol(const std::string &key, const Variant &variant) {
  std::string symbol = fmt::format("sinter_k_{}_{}", content_hash(key).substr(0, 16), variant.name);
  std::replace(symbol.begin(), symbol.end(), '-', '_');
  return symbol;
}

std::vector<KernelArgument> arguments(const KernelGraph &kernel) {
  std::vector<KernelArgument> result;
  for (const std::vector<NodeId> *ids : {&kernel.inputs, &kernel.outputs})
    for (NodeId id : *ids) {
      const TensorType &type = kernel.graph.type(id);
      result.push_back({type.element, type.storage_shape(), kernel.pitch(id)});
    }
  return result;
}

void run_task(Task &task, const KernelCache &cache, bool checked) {
  std::optional<CachedKernel> kernel = cache.load(task.key);
  const bool cached = kernel.has_value();
  if (!cached) {
    BuiltKernel built =
        build_kernel(*task.kernel, *task.variant, task.tuned ? task.tuned->choice : KernelChoice{},
                     task.symbol, checked);
    kernel = CachedKernel{std::move(built.algorithm), built.elements_per_sample,
                          std::move(built.object), choice_text(built.unfit)};
    cache.store(task.key, *kernel);
  }
  task.result = {task.symbol,
                 std::make_shared<const std::string>(std::move(kernel->object)),
                 std::move(kernel->algorithm),
                 kernel->elements_per_sample,
                 arguments(*task.kernel),
                 cached,
                 task.tuned,
                 kernel->unfit};
}

/// Runs all tasks on `jobs` threads; rethrows the first failure in the order of the tasks.
void run_all(std::vector<Task> &tasks, const KernelOptions &options) {
  const KernelCache cache(options.cache_dir);
  std::atomic<size_t> next{0};
  std::vector<std::exception_ptr> failures(tasks.size());
  const auto work = [&] {
    for (size_t i = next++; i < tasks.size(); i = next++)
      try {
        run_task(tasks[i], cache, options.checked);
      } catch (...) {
        failures[i] = std::current_exception();
      }
  };
  const unsigned processors = std::max(1U, std::thread::hardware_concurrency());
  const size_t wanted = options.jobs > 0 ? static_cast<size_t>(options.jobs) : processors;
  std::vector<std::thread> workers;
  for (size_t i = 1; i < std::min(wanted, tasks.size()); ++i)
    workers.emplace_back(work);
  work();
  for (std::thread &worker : workers)
    worker.join();
  for (const std::exception_ptr &failure : failures)
    if (failure)
      std::rethrow_exception(failure);
}

} // namespace

std::vector<int64_t> KernelArgument::strides() const {
  std::vector<int64_t> result(extents.size(), 1);
  for (size_t d = extents.size(); d-- > 1;)
    result[d - 1] = result[d] * (d + 1 == extents.size() && pitch > 0 ? pitch : extents[d]);
  return result;
}

std::vector<std::vector<std::vector<KernelObject>>>
compile_kernels(const std::vector<const Plan *> &plans, const std::vector<Variant> &variants,
                const KernelOptions &options) {
  std::vector<std::vector<KernelGraph>> kernels;
  for (const Plan *plan : plans) {
    kernels.emplace_back();
    for (const Kernel &kernel : plan->kernels)
      kernels.back().push_back(extract_kernel(*plan, kernel));
  }

  std::vector<Task> tasks;
  std::map<std::string, size_t> task_of_key;
  // [plan][variant][kernel], as in the result
  std::vector<std::vector<std::vector<size_t>>> indices(plans.size());
  for (size_t p = 0; p < plans.size(); ++p)
    for (const Variant &variant : variants) {
      indices[p].emplace_back();
      for (const KernelGraph &kernel : kernels[p]) {
        const std::string text = kernel.text();
        const std::optional<TunedKernel> tuned = find_choice(options.tuning, text, variant);
        const std::string key = cache_key(text, variant, tuned, options.checked);
        const auto [known, added] = task_of_key.emplace(key, tasks.size());
        if (added)
          tasks.push_back({&kernel, &variant, tuned, key, kernel_symbol(key, variant), {}});
        indices[p].back().push_back(known->second);
      }
    }
  run_all(tasks, options);

  std::vector<std::vector<std::vector<KernelObject>>> result(plans.size());
  for (size_t p = 0; p < plans.size(); ++p)
    for (const std::vector<size_t> &row : indices[p]) {
      result[p].emplace_back();
      for (size_t task : row)
        result[p].back().push_back(tasks[task].result);
    }
  return result;
}

std::string tuning_text(const Plan &plan, int kernel) {
  return extract_kernel(plan, plan.kernels.at(static_cast<size_t>(kernel))).text();
}

std::vector<Decision> kernel_decisions(const Plan &plan, int kernel, const Variant &variant,
                                       const KernelChoice &choice) {
  return kernel_decisions(extract_kernel(plan, plan.kernels.at(static_cast<size_t>(kernel))),
                          variant, choice);
}

std::string kernel_text(const Plan &plan, int kernel, const Variant &variant, KernelText kind,
                        const KernelTuning &tuning) {
  const Kernel &wanted = plan.kernels.at(static_cast<size_t>(kernel));
  const KernelGraph graph = extract_kernel(plan, wanted);
  const std::optional<TunedKernel> tuned = find_choice(tuning, graph.text(), variant);
  return build_kernel_text(graph, variant, tuned ? tuned->choice : KernelChoice{}, wanted.name,
                           kind);
}

} // namespace sinter
