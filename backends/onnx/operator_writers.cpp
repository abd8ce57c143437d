#include "backends/onnx/operator_writers.h"

namespace sinter {

const OperatorWriter *find_operator_writer(OpKind kind) {
  for (const OperatorWriters *writers :
       {&elementwise_writers(), &movement_writers(), &reduction_writers(), &window_writers()})
    if (const auto found = writers->find(kind); found != writers->end())
      return &found->second;
  return nullptr;
}

} // namespace sinter
