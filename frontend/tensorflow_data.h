// tf.data.Dataset: samples and labels of a data set, and how they are gone through.
#pragma once

#include "frontend/native.h"

#include <optional>

namespace sinter {

class Interpreter;

struct DatasetContents {
  DataArray *images = nullptr;
  DataArray *labels = nullptr;
  int64_t batch_size = 0; // 0: not in batches
  bool shuffle = false;
};

/// What a tf.data.Dataset holds; nothing for another value.
std::optional<DatasetContents> dataset_contents(const Value &);

/// tf.data.Dataset.from_tensor_slices and the methods of what it gives.
const std::vector<Native> &tensorflow_data_natives();

} // namespace sinter
