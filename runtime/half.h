/* IEEE 754 binary16, which C11 has no type for. */
#pragma once

#include <stdint.h>
#include <string.h>

/* Multiplying by 2^112 rebiases the exponent, subnormals included; an exponent of 31 stands for
 * infinity and NaN. */
static inline float sinter_half_to_float(uint16_t half) {
  uint32_t bits = (half & 0x7fffu) << 13;
  float value;
  memcpy(&value, &bits, sizeof value);
  value *= 0x1p112f;
  memcpy(&bits, &value, sizeof bits);
  if ((half & 0x7c00u) == 0x7c00u)
    bits = 0x7f800000u | (half & 0x3ffu) << 13;
  bits |= (half & 0x8000u) << 16;
  memcpy(&value, &bits, sizeof value);
  return value;
}
