// Arrays as .npy files, which a program's `run` reads and writes.
#pragma once

#include "backends/reference/array.h"

#include <string>

namespace sinter {

/// Row-major, in the type's element.
void write_npy(const std::string &path, const Array &);

/// What a program has written for a value of this type.
Array read_npy(const std::string &path, const TensorType &, int64_t batch);

} // namespace sinter
