/* The script's arithmetic on x: the recorded operations, one after the other, in float32. */
#pragma once

#include "runtime/sinter_runtime.h"

/* `data` NULL: no scaling. */
void sinter_scale(const sinter_data *data, float *values, int64_t count);

/* The scaled value of each byte, so that byte images need not be widened beforehand. */
void sinter_scale_table(const sinter_data *data, float table[256]);
