/* Which of the instruction-set variants compiled in this machine runs: cpuid says what the
 * processor has, xgetbv which registers the operating system saves.
 */
#define _GNU_SOURCE /* syscall */
#include "runtime/device.h"

#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef struct cpu_features {
  int sse41, avx2, avx512, amx;
} cpu_features;

#if defined(__x86_64__)
#include <cpuid.h>

/* AVX2 stands for what compilers call x86-64-v3's vector part, AVX-512 for that of x86-64-v4. */
static cpu_features detect_features(void) {
  cpu_features found = {0, 0, 0, 0};
  unsigned a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d))
    return found;
  found.sse41 = (c & bit_SSE4_1) != 0;
  const unsigned avx_fma_f16c = bit_OSXSAVE | bit_AVX | bit_FMA | bit_F16C;
  if ((c & avx_fma_f16c) != avx_fma_f16c || !__get_cpuid_count(7, 0, &a, &b, &c, &d))
    return found;
  unsigned saved_low, saved_high;
  __asm__ volatile("xgetbv" : "=a"(saved_low), "=d"(saved_high) : "c"(0));
  const unsigned ymm_saved = 0x6, zmm_saved = 0xe6; /* SSE+AVX; also opmask and both zmm halves */
  found.avx2 = (saved_low & ymm_saved) == ymm_saved && (b & bit_AVX2) != 0;
  const unsigned skylake = bit_AVX512F | bit_AVX512DQ | bit_AVX512CD | bit_AVX512BW | bit_AVX512VL;
  found.avx512 = found.avx2 && (saved_low & zmm_saved) == zmm_saved && (b & skylake) == skylake;
  const unsigned tiles_saved = 0x60000, amx = 1U << 24 | 1U << 22; /* AMX-TILE, AMX-BF16 */
  found.amx = found.avx512 && (saved_low & tiles_saved) == tiles_saved && (d & amx) == amx;
  return found;
}

/* The tiles' 8 KB are saved for processes alone that have asked for them; threads inherit it. */
static int permit_tiles(void) {
  const long request_permission = 0x1023, tile_data = 18; /* of arch_prctl; a part of xgetbv's */
  return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
}
#else
static cpu_features detect_features(void) { return (cpu_features){0, 0, 0, 0}; }
static int permit_tiles(void) { return 0; }
#endif

/* A name other than these three is of another architecture, for which there is one variant. */
static int can_run(const char *variant, const cpu_features *features) {
  if (strcmp(variant, "avx512") == 0)
    return features->avx512;
  if (strcmp(variant, "avx2") == 0)
    return features->avx2;
  if (strcmp(variant, "x86-64") == 0)
    return features->sse41;
  return 1;
}

int32_t sinter_choose_variant(const char *const *names, int32_t count) {
  const cpu_features features = detect_features();
  const char *limit = getenv("SINTER_VARIANT");
  int32_t highest = count - 1;
  if (limit && *limit) {
    while (highest >= 0 && strcmp(names[highest], limit) != 0)
      --highest;
    if (highest < 0) {
      sinter_fail(SINTER_ERROR_INPUT, "SINTER_VARIANT=%s: this program has only %s%s%s%s%s", limit,
                  names[0], count > 1 ? ", " : "", count > 1 ? names[1] : "", count > 2 ? ", " : "",
                  count > 2 ? names[2] : "");
      return -1;
    }
  }
  for (int32_t v = highest; v >= 0; --v)
    if (can_run(names[v], &features))
      return v;
  sinter_fail(SINTER_ERROR_INPUT, "this program needs a processor with %s, which this one lacks",
              count > 0 ? names[0] : "a compiled variant");
  return -1;
}

int sinter_is_device_variant(const sinter_model *model, int32_t variant) {
  return model->device && variant >= model->variant_count - model->device_variant_count;
}

int32_t sinter_choose_model_variant(const sinter_model *model) {
  const int32_t count = model->variant_count;
  const int32_t of_processor = count - (model->device ? model->device_variant_count : 0);
  const char *limit = getenv("SINTER_VARIANT");
  int32_t highest = count - 1;
  if (limit && *limit) {
    while (highest >= 0 && strcmp(model->variant_names[highest], limit) != 0)
      --highest;
    if (highest < 0) /* names none: its error */
      return sinter_choose_variant(model->variant_names, count);
  }
  for (int32_t v = highest; v >= of_processor; --v)
    if (model->device->probe(model->variant_names[v]) == SINTER_OK)
      return v;
  if (highest >= of_processor && (of_processor == 0 || (limit && *limit)))
    return -1; /* the device's error */
  return sinter_choose_variant(model->variant_names, of_processor);
}

sinter_bf16_arithmetic sinter_choose_bf16(void) {
  const cpu_features features = detect_features();
  const char *limit = getenv("SINTER_VARIANT");
  if (!limit)
    limit = "";
  if (features.amx && *limit == '\0' && permit_tiles())
    return SINTER_BF16_AMX;
  if (strcmp(limit, "x86-64") == 0)
    return SINTER_BF16_PLAIN;
  if (features.avx512 && strcmp(limit, "avx2") != 0)
    return SINTER_BF16_AVX512;
  return features.avx2 ? SINTER_BF16_AVX2 : SINTER_BF16_PLAIN;
}

const char *sinter_bf16_name(sinter_bf16_arithmetic arithmetic) {
  static const char *const names[] = {"plain vectors", "AVX2", "AVX-512", "AMX"};
  return names[arithmetic];
}
