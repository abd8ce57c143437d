// The runtime's internal C headers for tests, which are C++.
#pragma once

extern "C" {
#include "runtime/atomic_file.h"
#include "runtime/bf16.h"
#include "runtime/parameters.h"
#include "runtime/philox.h"
#include "runtime/profile.h"
#include "runtime/safetensors.h"
#include "runtime/thread_pool.h"
#include "runtime/weights.h"

int halide_do_par_for(void *user_context, sinter_task task, int min, int size, uint8_t *closure);
void *halide_malloc(void *user_context, size_t bytes);
void halide_free(void *user_context, void *memory);
}
