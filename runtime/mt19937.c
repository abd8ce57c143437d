#include "runtime/mt19937.h"

#define SIZE 624
#define OFFSET 397

void sinter_mt19937_seed(sinter_mt19937 *generator, uint32_t seed) {
  generator->state[0] = seed;
  for (uint32_t i = 1; i < SIZE; ++i) {
    const uint32_t before = generator->state[i - 1];
    generator->state[i] = 1812433253u * (before ^ before >> 30) + i;
  }
  generator->position = SIZE;
}

static void refill(sinter_mt19937 *generator) {
  uint32_t *state = generator->state;
  for (int i = 0; i < SIZE; ++i) {
    const uint32_t joined = (state[i] & 0x80000000u) | (state[(i + 1) % SIZE] & 0x7fffffffu);
    state[i] = state[(i + OFFSET) % SIZE] ^ joined >> 1 ^ (joined & 1 ? 0x9908b0dfu : 0);
  }
  generator->position = 0;
}

uint32_t sinter_mt19937_next(sinter_mt19937 *generator) {
  if (generator->position == SIZE)
    refill(generator);
  uint32_t word = generator->state[generator->position++];
  word ^= word >> 11;
  word ^= word << 7 & 0x9d2c5680u;
  word ^= word << 15 & 0xefc60000u;
  return word ^ word >> 18;
}

/* Uniform in [0, limit]: NumPy's random_interval, masked rejection. */
static uint32_t interval(sinter_mt19937 *generator, uint32_t limit) {
  uint32_t mask = limit;
  for (int shift = 1; shift < 32; shift *= 2)
    mask |= mask >> shift;
  uint32_t value;
  do
    value = sinter_mt19937_next(generator) & mask;
  while (value > limit);
  return value;
}

void sinter_numpy_permutation(uint32_t seed, int32_t n, int32_t *order) {
  sinter_mt19937 generator;
  sinter_mt19937_seed(&generator, seed);
  for (int32_t i = 0; i < n; ++i)
    order[i] = i;
  for (int32_t i = n - 1; i > 0; --i) {
    const uint32_t j = interval(&generator, (uint32_t)i);
    const int32_t moved = order[i];
    order[i] = order[j];
    order[j] = moved;
  }
}
