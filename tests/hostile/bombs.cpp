#include "tests/hostile/bombs.h"

#include "tests/fuzz/seeds.h"

#include <cstring>
#include <functional>
#include <hdf5.h>
#include <map>
#include <onnx/onnx_pb.h>
#include <stdexcept>
#include <zlib.h>

namespace sinter {

namespace {

void put_big_endian(std::string &bytes, size_t at, uint32_t value) {
  for (size_t i = 0; i < 4; ++i)
    bytes[at + i] = static_cast<char>(value >> (24 - 8 * i));
}

void put_little_endian(std::string &bytes, size_t at, uint32_t value) {
  for (size_t i = 0; i < 4; ++i)
    bytes[at + i] = static_cast<char>(value >> (8 * i));
}

std::string seed(const SeedFiles &files, const std::string &name) {
  for (const SeedFile &file : files)
    if (file.name == name)
      return file.bytes;
  throw std::runtime_error("there is no seed " + name);
}

// ---- HDF5 --------------------------------------------------------------------------------------

hid_t space_of(hsize_t extent) { return H5Screate_simple(1, &extent, nullptr); }

hid_t make_set(hid_t file, hid_t type, hsize_t extent, hid_t creation = H5P_DEFAULT) {
  return H5Dcreate2(file, "weights", type, space_of(extent), H5P_DEFAULT, creation, H5P_DEFAULT);
}

void write_references(hid_t file) {
  H5Gcreate2(file, "target", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  hobj_ref_t references[2];
  H5Rcreate(&references[0], file, "target", H5R_OBJECT, -1);
  references[1] = hobj_ref_t{0xdeadbeef};
  H5Dwrite(make_set(file, H5T_STD_REF_OBJ, 2), H5T_STD_REF_OBJ, H5S_ALL, H5S_ALL, H5P_DEFAULT,
           references);
  H5Ldelete(file, "target", H5P_DEFAULT); // the first one dangles now, too
}

void write_external(hid_t file) {
  const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_external(creation, "/etc/passwd", 0, 16);
  make_set(file, H5T_IEEE_F32LE, 4, creation);
}

/// Virtual: mapped from another file's dataset.
void write_virtual(hid_t file) {
  const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
  const hid_t space = space_of(4);
  H5Pset_virtual(creation, space, "/etc/passwd", "weights", space);
  make_set(file, H5T_IEEE_F32LE, 4, creation);
}

/// Allocated late and never written: the file stays small.
void write_absurd_size(hid_t file) { make_set(file, H5T_IEEE_F32LE, hsize_t{1} << 40U); }

/// Zeros, compressed a thousandfold.
void write_bomb(hid_t file) {
  const hsize_t extent = hsize_t{150} << 20U;
  const hsize_t chunk = hsize_t{1} << 22U;
  const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_chunk(creation, 1, &chunk);
  H5Pset_deflate(creation, 1);
  const std::string zeros(extent, '\0');
  H5Dwrite(make_set(file, H5T_STD_U8LE, extent, creation), H5T_STD_U8LE, H5S_ALL, H5S_ALL,
           H5P_DEFAULT, zeros.data());
}

void write_links(hid_t file) {
  H5Lcreate_soft("/nowhere", file, "soft", H5P_DEFAULT, H5P_DEFAULT);
  H5Lcreate_soft("/itself", file, "itself", H5P_DEFAULT, H5P_DEFAULT);
  H5Lcreate_external("/etc/passwd", "/", file, "external", H5P_DEFAULT, H5P_DEFAULT);
  const hid_t group = H5Gcreate2(file, "group", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  H5Lcreate_hard(file, "/", group, "root", H5P_DEFAULT, H5P_DEFAULT); // a cycle
  make_set(file, H5T_C_S1, 4);
}

const std::map<std::string, std::function<void(hid_t)>> &tricks() {
  static const std::map<std::string, std::function<void(hid_t)>> writers = {
      {"absurd", write_absurd_size},    {"bomb", write_bomb},
      {"external", write_external},     {"links", write_links},
      {"references", write_references}, {"virtual", write_virtual}};
  return writers;
}

} // namespace

std::string onnx_weight(const std::string &fields) {
  return onnx_bytes("initializer { name: 'w' data_type: 1 " + fields +
                    " } node { op_type: 'Relu' input: 'w' output: 'y' } ");
}

std::string onnx_of_chain(int length) {
  onnx::ModelProto model;
  model.ParseFromString(onnx_bytes("input { name: 'x' type { tensor_type { elem_type: 1 shape { "
                                   "dim { dim_value: 2 } } } } } "));
  std::string value = "x";
  for (int i = 0; i < length; ++i) {
    onnx::NodeProto *node = model.mutable_graph()->add_node();
    node->set_op_type("Relu");
    node->add_input(value);
    value = i + 1 == length ? "y" : std::to_string(i);
    node->add_output(value);
  }
  return model.SerializeAsString();
}

std::string onnx_of_empty_nodes(int bytes) {
  std::string graph;
  for (int i = 0; i < bytes; i += 2)
    graph += std::string("\x0a\0", 2); // field 1, of no bytes
  onnx::ModelProto model;
  model.add_opset_import()->set_version(17);
  std::string text = model.SerializeAsString() + "\x3a"; // field 7: the graph
  for (size_t rest = graph.size(); rest > 0; rest >>= 7U)
    text += static_cast<char>((rest & 0x7fU) | (rest > 0x7fU ? 0x80U : 0U));
  return text + graph;
}

std::string onnx_of_subgraphs(int depth) {
  onnx::ModelProto model;
  model.add_opset_import()->set_version(17);
  onnx::GraphProto *graph = model.mutable_graph();
  for (int i = 0; i < depth; ++i) {
    onnx::NodeProto *node = graph->add_node();
    node->set_op_type("If");
    node->add_output("y");
    graph->add_output()->set_name("y");
    onnx::AttributeProto *branch = node->add_attribute();
    branch->set_name("then_branch");
    graph = branch->mutable_g();
  }
  return model.SerializeAsString();
}

std::string renamed(std::string archive, const std::string &from, const std::string &to) {
  if (from.size() != to.size())
    throw std::runtime_error("the names differ in length");
  for (size_t at = 0; (at = archive.find(from, at)) != std::string::npos; at += to.size())
    archive.replace(at, from.size(), to);
  return archive;
}

std::string with_claimed_size(std::string archive, uint32_t size) {
  const size_t local = archive.find("PK\x03\x04");
  const size_t central = archive.find("PK\x01\x02");
  put_little_endian(archive, local + 22, size);
  put_little_endian(archive, central + 24, size);
  return archive;
}

std::string png_of_size(uint32_t width, uint32_t height) {
  std::string png = seed(picture_seeds(), "grey.png");
  constexpr size_t kHeader = 12; // "IHDR", behind the signature and a length
  put_big_endian(png, kHeader + 4, width);
  put_big_endian(png, kHeader + 8, height);
  const auto *bytes = reinterpret_cast<const Bytef *>(png.data());
  put_big_endian(png, kHeader + 17, static_cast<uint32_t>(::crc32(0, bytes + kHeader, 17)));
  return png;
}

std::string jpeg_of_scans(int count) {
  const std::string jpeg = seed(picture_seeds(), "progressive.jpg");
  const size_t last = jpeg.rfind("\xff\xda"); // start of scan
  const size_t end = jpeg.size() - 2;         // end of image
  std::string result = jpeg.substr(0, end);
  for (int i = 0; i < count; ++i)
    result += jpeg.substr(last, end - last);
  return result + jpeg.substr(end);
}

std::vector<std::string> hdf5_tricks() {
  std::vector<std::string> names;
  for (const auto &[name, write] : tricks())
    names.push_back(name);
  return names;
}

void write_hdf5_trick(const std::string &kind, const std::string &path) {
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  tricks().at(kind)(file);
  H5Fclose(file);
  H5close(); // everything else that is open
}

} // namespace sinter
