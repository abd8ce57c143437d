// How each operation is written as operators of ONNX.
#pragma once

#include "backends/onnx/node_writer.h"

#include <map>

namespace sinter {

/// `op` is ONNX's operator, for operations that are one.
struct OperatorWriter {
  void (*write)(NodeWriter &, const char *op);
  const char *op = "";
};
using OperatorWriters = std::map<OpKind, OperatorWriter>;

const OperatorWriters &elementwise_writers(); // leaves, too
const OperatorWriters &movement_writers();
const OperatorWriters &reduction_writers();
const OperatorWriters &window_writers();

/// Null for operations of training, which ONNX does not have.
const OperatorWriter *find_operator_writer(OpKind);

} // namespace sinter
