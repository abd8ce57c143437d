#include "runtime/scaling.h"

void sinter_scale(const sinter_data *data, float *values, int64_t count) {
  for (int32_t s = 0; data && s < data->scaling_count; ++s) {
    const float by = data->scaling[s].value;
    switch ((sinter_scaling_op)data->scaling[s].op) {
    case SINTER_MULTIPLY:
      for (int64_t i = 0; i < count; ++i)
        values[i] *= by;
      break;
    case SINTER_DIVIDE: /* not a multiplication by 1/by: that rounds to other floats */
      for (int64_t i = 0; i < count; ++i)
        values[i] /= by;
      break;
    case SINTER_ADD:
      for (int64_t i = 0; i < count; ++i)
        values[i] += by;
      break;
    case SINTER_SUBTRACT:
      for (int64_t i = 0; i < count; ++i)
        values[i] -= by;
      break;
    }
  }
}

void sinter_scale_table(const sinter_data *data, float table[256]) {
  for (int byte = 0; byte < 256; ++byte)
    table[byte] = (float)byte;
  sinter_scale(data, table, 256);
}
