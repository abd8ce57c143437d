// bf16 numbers as the reference knows them: eight significant bits, the exponents of a float.
#pragma once

#include <cstdint>

namespace sinter {

/// The nearest bf16 number, of two the one whose last bit is 0.
double round_to_bf16(double);

/// An i32 whose lower half is the first number and whose upper half the second; both are bf16
/// numbers.
int32_t bf16_pair(double first, double second);

/// The numbers of a pair.
double first_of_pair(int32_t pair);
double second_of_pair(int32_t pair);

} // namespace sinter
