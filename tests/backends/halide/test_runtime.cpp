// What kernels under test call in place of a runtime: loops that run backwards on several threads,
// scratch full of NaN, and every failure of a checked kernel kept for the test to see.
#include "tests/backends/halide/test_runtime.h"

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <thread>
#include <vector>

namespace sinter {

int test_threads = 1;
std::string test_failure;

} // namespace sinter

namespace {

int fail(const char *what) {
  sinter::test_failure = what;
  return -1;
}

} // namespace

extern "C" {

using Task = int (*)(void *, int, uint8_t *);

int halide_do_par_for(void *context, Task task, int min, int size, uint8_t *closure) {
  std::atomic<int> next{size};
  std::atomic<int> status{0};
  const auto work = [&] {
    for (int i = --next; i >= 0; i = --next)
      if (const int result = task(context, min + i, closure))
        status = result;
  };
  std::vector<std::thread> threads;
  for (int i = 1; i < sinter::test_threads; ++i)
    threads.emplace_back(work);
  work();
  for (std::thread &thread : threads)
    thread.join();
  return status;
}

void *halide_malloc(void *, size_t bytes) {
  const size_t rounded = (bytes + 127) / 64 * 64;
  auto *memory = static_cast<float *>(std::aligned_alloc(64, rounded));
  for (size_t i = 0; i < rounded / sizeof(float); ++i)
    memory[i] = std::numeric_limits<float>::quiet_NaN();
  return memory;
}

void halide_free(void *, void *memory) { std::free(memory); }
void halide_error(void *, const char *message) { fail(message); }

// Halide's checks, whatever their arguments: the name says which one failed.
#define FAILURE(name)                                                                              \
  int name(void *) { return fail(#name); }
FAILURE(halide_error_access_out_of_bounds)
FAILURE(halide_error_bad_dimensions)
FAILURE(halide_error_bad_extern_fold)
FAILURE(halide_error_bad_fold)
FAILURE(halide_error_bad_type)
FAILURE(halide_error_bounds_inference_call_failed)
FAILURE(halide_error_buffer_allocation_too_large)
FAILURE(halide_error_buffer_argument_is_null)
FAILURE(halide_error_buffer_extents_negative)
FAILURE(halide_error_buffer_extents_too_large)
FAILURE(halide_error_buffer_is_null)
FAILURE(halide_error_constraint_violated)
FAILURE(halide_error_constraints_make_required_region_smaller)
FAILURE(halide_error_device_dirty_with_no_device_support)
FAILURE(halide_error_explicit_bounds_too_small)
FAILURE(halide_error_extern_stage_failed)
FAILURE(halide_error_fold_factor_too_small)
FAILURE(halide_error_host_is_null)
FAILURE(halide_error_out_of_memory)
FAILURE(halide_error_param_too_large_i64)
FAILURE(halide_error_param_too_small_i64)
FAILURE(halide_error_requirement_failed)
FAILURE(halide_error_specialize_fail)
FAILURE(halide_error_storage_bound_too_small)
FAILURE(halide_error_unaligned_host_ptr)
}
