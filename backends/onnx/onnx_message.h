// The message of an ONNX file while it is written: nodes, initialisers, and names that are unique.
#pragma once

#include "ir/type.h"

#include <map>
#include <onnx/onnx_pb.h>
#include <string>
#include <vector>

namespace sinter {

/// ONNX's number for an element type.
int32_t onnx_type(ElementType);

class OnnxMessage {
public:
  explicit OnnxMessage(const std::string &name);

  /// `base`, or with a number behind it when it is taken; it is taken from now on.
  std::string unique_name(const std::string &base);

  void add_input(const std::string &name, const TensorType &);
  void add_output(const std::string &name, const TensorType &);
  /// Appends a node whose first result is named after `base`. The reference stays valid.
  onnx::NodeProto &add_node(const std::string &base, const char *op,
                            const std::vector<std::string> &inputs);
  /// Values that are whole numbers when the element type is one.
  std::string add_initializer(const std::string &name, ElementType, const Shape &,
                              const std::vector<float> &values);
  std::string add_integers(const std::string &base, const Shape &,
                           const std::vector<int64_t> &values);

  /// The node whose result a value is, or null.
  onnx::NodeProto *producer(const std::string &value);
  /// Gives a node's result another name, everywhere.
  void rename(const std::string &value, const std::string &name);

  /// Throws CompileError when it is more than a file of protobuf may hold.
  std::string bytes() const;

private:
  void describe(onnx::ValueInfoProto &, const std::string &name, const TensorType &) const;

  onnx::ModelProto file_;
  std::map<std::string, int> counters_; // of names, how often they were asked for
  std::map<std::string, onnx::NodeProto *> producers_;
};

/// Attributes of a node.
void set_integer(onnx::NodeProto &, const char *name, int64_t value);
void set_integers(onnx::NodeProto &, const char *name, const std::vector<int64_t> &values);
void set_real(onnx::NodeProto &, const char *name, float value);

} // namespace sinter
