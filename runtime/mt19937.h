/* NumPy's legacy random numbers: the Mersenne Twister MT19937 of Matsumoto and Nishimura (1998) as
 * numpy.random.RandomState(seed) drives it, for scikit-learn's splits.
 */
#pragma once

#include <stdint.h>

typedef struct sinter_mt19937 {
  uint32_t state[624];
  int position;
} sinter_mt19937;

void sinter_mt19937_seed(sinter_mt19937 *generator, uint32_t seed);
uint32_t sinter_mt19937_next(sinter_mt19937 *generator);

/* RandomState(seed).permutation(n) into `order`. */
void sinter_numpy_permutation(uint32_t seed, int32_t n, int32_t *order);
