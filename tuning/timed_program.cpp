#include "tuning/timed_program.h"

#include "backends/program/build.h"
#include "ir/diagnostics.h"

extern "C" {
#include "runtime/huge_pages.h"
#include "runtime/profile.h"
}

#include <algorithm>
#include <cstdlib>
#include <dlfcn.h>
#include <filesystem>

namespace sinter {

namespace {

constexpr size_t kLeastRounds = 5;
constexpr size_t kMostRounds = 1000;
constexpr double kUndisturbed = 0.2; // a quantile
constexpr double kTypical = 0.5;

/// A folder that goes with its object.
class Folder {
public:
  Folder() : path_((std::filesystem::temp_directory_path() / "sinter-tune-XXXXXX").string()) {
    if (!::mkdtemp(path_.data()))
      throw CompileError({}, "cannot make a temporary folder {}", path_);
  }
  ~Folder() {
    std::error_code ignored; // a leftover in /tmp harms nobody
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder &) = delete;
  Folder &operator=(const Folder &) = delete;
  const std::string &path() const { return path_; }

private:
  std::string path_;
};

struct Free {
  void operator()(void *memory) const { std::free(memory); }
};
using Memory = std::unique_ptr<unsigned char, Free>;

Memory allocate(size_t bytes) {
  const size_t alignment = sinter_page_alignment(bytes);
  Memory memory(static_cast<unsigned char *>(
      std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment)));
  if (!memory)
    throw CompileError({}, "out of memory: a step needs {} bytes", bytes);
  return memory;
}

int64_t elements(const sinter_port &port, int32_t batch) {
  int64_t count = port.batched != 0 ? batch : 1;
  for (int32_t d = 0; d < port.rank; ++d)
    count *= port.dims[d];
  return count;
}

/// Numbers between 0 and 1, a pure function of their index.
float noise(int64_t index) {
  const auto mixed =
      static_cast<uint32_t>(static_cast<uint64_t>(index) * 0x9E3779B97F4A7C15ULL >> 40U);
  return static_cast<float>(mixed) / static_cast<float>(1U << 24U);
}

void fill(float *values, int64_t count, float least, float most) {
  for (int64_t i = 0; i < count; ++i)
    values[i] = least + (most - least) * noise(i);
}

/// Buffers for all ports: noise, or class numbers.
struct Buffers {
  std::vector<Memory> memory;
  std::vector<void *> pointers;

  Buffers(const sinter_port *ports, int32_t count, int32_t batch) {
    for (const sinter_port *port = ports; port != ports + count; ++port) {
      const int64_t number = elements(*port, batch);
      memory.push_back(allocate(static_cast<size_t>(number) * sizeof(float)));
      pointers.push_back(memory.back().get());
      const auto class_of = [&](int64_t i) {
        return port->class_limit > 0 ? i % port->class_limit : 0;
      };
      for (int64_t i = 0; port->element == SINTER_I32 && i < number; ++i)
        static_cast<int32_t *>(pointers.back())[i] = static_cast<int32_t>(class_of(i));
      for (int64_t i = 0; port->element == SINTER_U8 && i < number; ++i)
        static_cast<uint8_t *>(pointers.back())[i] = 1;
      if (port->element == SINTER_F32)
        fill(static_cast<float *>(pointers.back()), number, 0, 1);
    }
  }
};

StepTime quantile_of(const std::vector<StepTime> &times, double part) {
  const auto quantile = [&](std::vector<double> values) {
    const auto position = part * static_cast<double>(values.size() - 1);
    const auto wanted = values.begin() + static_cast<std::ptrdiff_t>(position);
    std::nth_element(values.begin(), wanted, values.end());
    return *wanted;
  };
  StepTime result;
  std::vector<double> column;
  for (const StepTime &time : times)
    column.push_back(time.seconds);
  result.seconds = quantile(column);
  for (size_t k = 0; k < times.front().kernels.size(); ++k) {
    for (size_t i = 0; i < times.size(); ++i)
      column[i] = times[i].kernels[k];
    result.kernels.push_back(quantile(column));
  }
  return result;
}

} // namespace

std::string StepSetting::text() const {
  return fmt::format("{}, batch {}, {} thread{}", sinter_phase_name(phase), batch, threads,
                     threads == 1 ? "" : "s");
}

struct TimedProgram::Library {
  using ContextBytes = size_t (*)(int32_t, int32_t);
  using Create = int (*)(void *, size_t, int32_t, int32_t, int32_t, uint64_t, sinter_context **);
  using Destroy = void (*)(sinter_context *);

  Library(const std::string &path, const std::string &prefix)
      : handle(::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) {
    if (!handle) // a folder of temporary files that nothing may be run from
      throw CompileError({}, "cannot load what was built: {}", ::dlerror());
    const auto find = [&](const char *name) {
      void *symbol = ::dlsym(handle, (prefix + name).c_str());
      SINTER_ASSERT(symbol, "the library has no {}{}", prefix, name);
      return symbol;
    };
    context_bytes = reinterpret_cast<ContextBytes>(find("_context_bytes"));
    create = reinterpret_cast<Create>(find("_create"));
    destroy = reinterpret_cast<Destroy>(find("_destroy"));
    const size_t bytes = context_bytes(1, SINTER_INFER);
    const Memory memory = allocate(bytes);
    sinter_context *context = nullptr;
    SINTER_ASSERT(create(memory.get(), bytes, 1, SINTER_INFER, 1, 0, &context) == SINTER_OK,
                  "a context cannot be created");
    model = context->model;
    destroy(context);
  }
  ~Library() { ::dlclose(handle); }
  Library(const Library &) = delete;
  Library &operator=(const Library &) = delete;

  void *handle;
  ContextBytes context_bytes = nullptr;
  Create create = nullptr;
  Destroy destroy = nullptr;
  const sinter_model *model = nullptr;
};

TimedProgram::TimedProgram(const Program &program, const TimedProgramOptions &options) {
  Program built = program;
  built.name = "timed";
  for (ParameterSlot &slot : built.parameters) // StepMemory fills them, faster
    slot.attrs.initializer = "zeros";
  const Folder folder; // the loaded library needs no file
  BuildOptions build;
  build.emit = {Emit::shared};
  build.output = folder.path() + "/timed";
  build.target = options.target;
  build.cache_directory = options.cache_directory;
  build.tuning = options.tuning;
  build.embed_weights = true; // there are none
  Diagnostics unheard;        // candidates that do not fit are the search's own
  build_outputs(built, build, unheard);
  library_ = std::make_unique<Library>(folder.path() + "/libtimed.so", "timed");
}

TimedProgram::~TimedProgram() = default;

struct StepMemory::Data {
  Data(const TimedProgram::Library &owner, const StepSetting &wanted)
      : setting(wanted), library(owner),
        inputs(owner.model->inputs, owner.model->input_count, wanted.batch),
        labels(owner.model->labels, owner.model->label_count, wanted.batch),
        outputs(owner.model->outputs, owner.model->output_count, wanted.batch),
        profile(static_cast<size_t>(owner.model->phases[wanted.phase].kernel_count)) {
    const size_t bytes = owner.context_bytes(wanted.batch, wanted.phase);
    if (bytes == 0)
      throw CompileError({}, "a batch of {} is too large for {}", wanted.batch,
                         sinter_phase_name(wanted.phase));
    memory = allocate(bytes);
    const int status = owner.create(memory.get(), bytes, wanted.batch, wanted.phase, wanted.threads,
                                    /*seed=*/0, &context);
    if (status != SINTER_OK)
      throw CompileError({}, "a context for {} cannot be created", wanted.text());
    fill_parameters();
    context->profile = profile.data();
  }
  ~Data() { library.destroy(context); }
  Data(const Data &) = delete;
  Data &operator=(const Data &) = delete;

  /// Small weights, and variances that have a root. What only training has may not be there.
  void fill_parameters() const {
    for (int32_t p = 0; p < library.model->parameter_count; ++p) {
      const sinter_parameter &parameter = library.model->parameters[p];
      auto *values = reinterpret_cast<float *>(context->parameters + parameter.offset);
      const auto count = parameter.bytes / static_cast<int64_t>(sizeof(float));
      if (parameter.role == SINTER_ROLE_WEIGHT)
        fill(values, count, -0.05F, 0.05F);
      else if (parameter.role == SINTER_ROLE_STATISTIC)
        fill(values, count, 0.5F, 1.5F);
    }
  }

  StepSetting setting;
  const TimedProgram::Library &library;
  Buffers inputs, labels, outputs;
  std::vector<sinter_profile_entry> profile;
  Memory memory;
  sinter_context *context = nullptr;
};

StepMemory::StepMemory(const TimedProgram &program, const StepSetting &setting)
    : data_(std::make_unique<Data>(*program.library_, setting)) {}

StepMemory::~StepMemory() = default;

StepTime StepMemory::run(const TimedProgram &program) {
  Data &data = *data_;
  std::fill(data.profile.begin(), data.profile.end(), sinter_profile_entry{});
  const sinter_model &model = *program.library_->model;
  float metrics[SINTER_MAX_METRICS];
  const double begin = sinter_seconds();
  const int status =
      data.setting.phase == SINTER_TRAIN
          ? model.train_step(data.context, data.inputs.pointers.data(), data.labels.pointers.data(),
                             data.setting.batch, metrics)
          : model.infer(data.context, data.inputs.pointers.data(), data.setting.batch,
                        data.outputs.pointers.data());
  StepTime time{sinter_seconds() - begin, {}};
  if (status != SINTER_OK)
    throw CompileError({}, "a step of {} failed with {}", data.setting.text(), status);
  for (const sinter_profile_entry &entry : data.profile)
    time.kernels.push_back(entry.seconds);
  return time;
}

double seconds_in_turns(double step, double seconds) {
  return 2 * step + std::max(seconds, static_cast<double>(kLeastRounds) * 2 * step);
}

std::vector<StepTimes> time_in_turns(const std::vector<Contender> &contenders, double seconds) {
  std::vector<std::vector<StepTime>> times(contenders.size());
  for (const Contender &contender : contenders) // warm up
    contender.memory->run(*contender.program);
  const double begin = sinter_seconds();
  for (size_t round = 0; round < kMostRounds; ++round) {
    if (round >= kLeastRounds && sinter_seconds() - begin > seconds)
      break;
    for (size_t i = 0; i < contenders.size(); ++i) { // in both directions by turns
      const size_t turn = round % 2 == 0 ? i : contenders.size() - 1 - i;
      times[turn].push_back(contenders[turn].memory->run(*contenders[turn].program));
    }
  }
  std::vector<StepTimes> result;
  for (const std::vector<StepTime> &column : times)
    result.push_back({quantile_of(column, kUndisturbed), quantile_of(column, kTypical)});
  return result;
}

} // namespace sinter
