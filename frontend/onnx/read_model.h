// Reading ONNX files: protobuf messages, and tensors that lie in them or beside them.
#pragma once

#include "frontend/onnx/host_tensor.h"
#include "ir/source_location.h"

#include <onnx/onnx_pb.h>
#include <string>
#include <string_view>

namespace sinter {

/// The message in a file, or a CompileError: no such file, truncated, no protobuf, nested too deep,
/// 2 GB or more (protobuf's own limit).
onnx::ModelProto read_onnx_file(const std::string &path);
/// The same from bytes at hand; `name` stands for the file in messages.
onnx::ModelProto parse_onnx(const std::string &name, std::string_view bytes);

DataType data_type(int32_t onnx_type);

/// A tensor's values: floats of every width widened or narrowed to float32. Sizes are checked
/// against the data before anything is allocated. External data is looked for in the folder of
/// `file`, and nowhere outside of it.
HostTensor read_tensor(const onnx::TensorProto &, const SourceLocation &file);

} // namespace sinter
