/* Where there is no AMX: the same sums by multiply-adds of floats. Compiled with contraction, which
 * makes multiply-adds of the products and sums. */
#include "runtime/bf16.h"

#include <string.h>

#define RUN sinter_bf16_run_plain
#define TARGET
#define LANES 4
#define PIXELS 2
#include "runtime/bf16_vector.h"

#if defined(__x86_64__)

#define RUN sinter_bf16_run_avx2
#define TARGET __attribute__((target("avx2,fma")))
#define LANES 8
#define PIXELS 4
#include "runtime/bf16_vector.h"

#define RUN sinter_bf16_run_avx512
#define TARGET __attribute__((target("avx512f,fma")))
#define LANES 16
#define PIXELS 12
#include "runtime/bf16_vector.h"

#endif
