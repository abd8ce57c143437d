// What a program needs of memory, and what a machine has.
#include "tests/runtime/temporary_folder.h"
#include "tests/runtime/tiny_model.h"

extern "C" {
#include "runtime/memory_report.h"
}

#include <doctest/doctest.h>
#include <filesystem>
#include <string>

namespace {

void write_file(const TemporaryFolder &root, const std::string &path, const std::string &text) {
  std::filesystem::create_directories((root.path / path).parent_path());
  std::ofstream(root.path / path) << text;
}

} // namespace

TEST_CASE("the report adds up to the context, the batch and the copies of parameters") {
  const tiny::Model tiny;
  const sinter_model &model = tiny.model;
  const sinter_memory training = sinter_measure_memory(&model, 16, SINTER_TRAIN);
  CHECK(training.weights == model.trainable_bytes);
  CHECK(training.weights + training.optimizer == model.parameter_bytes);
  CHECK(training.weights + training.optimizer + training.arena ==
        static_cast<int64_t>(sinter_context_bytes(&model, 16, SINTER_TRAIN)));
  CHECK(training.buffers == 16 * (tiny::features + 1) * 4);
  CHECK(training.copies == model.parameter_bytes + model.trainable_bytes);
  CHECK(training.total == training.weights + training.optimizer + training.arena +
                              training.buffers + training.copies);
  const sinter_memory inference = sinter_measure_memory(&model, 16, SINTER_INFER);
  CHECK(inference.optimizer == 0);
  CHECK(inference.copies == 0);
  CHECK(inference.buffers == 16 * (tiny::features + tiny::classes) * 4);
}

TEST_CASE("what is available is the least of the machine's and the group's memory") {
  const TemporaryFolder folder;
  const std::string root = folder.path.string();
  CHECK(sinter_available_memory(root.c_str()) == INT64_MAX);
  write_file(folder, "proc/meminfo", "MemTotal:  200 kB\nMemAvailable:     100 kB\n");
  CHECK(sinter_available_memory(root.c_str()) == 100 * 1024);
  write_file(folder, "sys/fs/cgroup/memory.max", "max\n");
  CHECK(sinter_available_memory(root.c_str()) == 100 * 1024);
  write_file(folder, "sys/fs/cgroup/memory.max", "70000\n");
  write_file(folder, "sys/fs/cgroup/memory.current", "30000\n");
  CHECK(sinter_available_memory(root.c_str()) == 40000);
  write_file(folder, "sys/fs/cgroup/memory.stat", "anon 12000\nfile 18000\n");
  CHECK(sinter_available_memory(root.c_str()) == 58000);
}

TEST_CASE("a batch that does not fit is refused with both numbers") {
  const tiny::Model tiny;
  const TemporaryFolder folder;
  const std::string root = folder.path.string();
  write_file(folder, "proc/meminfo", "MemAvailable: 1000 kB\n");
  CHECK(sinter_check_memory(&tiny.model, 16, SINTER_TRAIN, root.c_str()) == SINTER_OK);
  CHECK(sinter_check_memory(&tiny.model, 1 << 20, SINTER_TRAIN, root.c_str()) ==
        SINTER_ERROR_MEMORY);
  const std::string text = sinter_last_error();
  CHECK(text.find("training with a batch of 1048576 needs ") == 0);
  CHECK(text.find("1.0 MB are available: take a smaller batch") != std::string::npos);
}
