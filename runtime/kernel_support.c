/* What compiled kernels call in place of Halide's own runtime (they are built with no_runtime),
 * with Halide 14's signatures (HalideRuntime.h). The user context is the context's pool, or NULL
 * for a caller without one: then loops are serial and memory comes from malloc.
 */
#include "runtime/sinter_runtime.h"
#include "runtime/thread_pool.h"

/* Halide's codes for the failures that a kernel without assertions can still have; the first is
 * what its check of halide_malloc returns. */
enum { HALIDE_OUT_OF_MEMORY = -11, HALIDE_REQUIREMENT_FAILED = -27, HALIDE_SPECIALIZE_FAIL = -31 };

/* Part of Halide's interface; kernels in several objects refer to them by these names. */
int halide_do_par_for(void *user_context, sinter_task task, int min, int size, uint8_t *closure);
void *halide_malloc(void *user_context, size_t bytes);
void halide_free(void *user_context, void *memory);
void halide_error(void *user_context, const char *message);
int halide_error_out_of_memory(void *user_context);
int halide_error_buffer_allocation_too_large(void *user_context, const char *name, uint64_t bytes,
                                             uint64_t limit);
int halide_error_requirement_failed(void *user_context, const char *condition, const char *message);
int halide_error_specialize_fail(void *user_context, const char *message);

int sinter_kernel_failed(int32_t code, const char *kernel) {
  if (code == HALIDE_OUT_OF_MEMORY)
    return sinter_fail(SINTER_ERROR_MEMORY, "out of memory for the scratch of kernel %s", kernel);
  return sinter_fail(SINTER_ERROR_INTERNAL, "kernel %s failed with code %d", kernel, code);
}

int halide_do_par_for(void *user_context, sinter_task task, int min, int size, uint8_t *closure) {
  if (user_context)
    return sinter_pool_run(user_context, task, min, size, closure);
  for (int i = 0; i < size; ++i) {
    const int status = task(NULL, min + i, closure);
    if (status != 0)
      return status;
  }
  return 0;
}

void *halide_malloc(void *user_context, size_t bytes) {
  return sinter_scratch_allocate(user_context ? sinter_pool_scratch(user_context) : NULL, bytes);
}

void halide_free(void *user_context, void *memory) {
  (void)user_context; /* the block knows its owner */
  sinter_scratch_free(memory);
}

void halide_error(void *user_context, const char *message) {
  (void)user_context;
  sinter_fail(SINTER_ERROR_INTERNAL, "kernel: %s", message);
}

int halide_error_out_of_memory(void *user_context) {
  (void)user_context;
  sinter_fail(SINTER_ERROR_MEMORY, "out of memory for a kernel's scratch");
  return HALIDE_OUT_OF_MEMORY;
}

int halide_error_buffer_allocation_too_large(void *user_context, const char *name, uint64_t bytes,
                                             uint64_t limit) {
  (void)user_context;
  sinter_fail(SINTER_ERROR_MEMORY, "a kernel's scratch %s of %llu bytes is beyond %llu", name,
              (unsigned long long)bytes, (unsigned long long)limit);
  return HALIDE_OUT_OF_MEMORY;
}

int halide_error_requirement_failed(void *user_context, const char *condition,
                                    const char *message) {
  (void)user_context;
  sinter_fail(SINTER_ERROR_INTERNAL, "kernel: requirement %s failed: %s", condition, message);
  return HALIDE_REQUIREMENT_FAILED;
}

int halide_error_specialize_fail(void *user_context, const char *message) {
  (void)user_context;
  sinter_fail(SINTER_ERROR_INTERNAL, "kernel: no specialization fits: %s", message);
  return HALIDE_SPECIALIZE_FAIL;
}
