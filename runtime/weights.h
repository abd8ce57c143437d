/* The trained part of a context's parameters in one file. */
#pragma once

#include "runtime/sinter_runtime.h"

/* Weights and statistics as they lie in `region`, a copy of a context's parameter region. */
int sinter_save_region(const sinter_model *model, const unsigned char *region, const char *path);
