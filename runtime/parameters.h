/* Where the elements of a parameter lie in its storage: row-major, or blocked on the last
 * dimension (sinter_parameter.block), and the conversions between storage and logical order.
 */
#pragma once

#include "runtime/sinter_runtime.h"

int64_t sinter_parameter_elements(const sinter_parameter *parameter); /* logical, without padding */
void sinter_pack_parameter(const sinter_parameter *parameter, const float *logical, float *storage);
void sinter_unpack_parameter(const sinter_parameter *parameter, const float *storage,
                             float *logical);

/* "[3, 3, 1, 32]", for messages; returns `text`. */
const char *sinter_format_shape(const int64_t *dims, int32_t rank, char *text, size_t text_bytes);
