#include "ir/parse.h"

#include "ir/diagnostics.h"
#include "ir/op.h"
#include "ir/text_lexer.h"

#include <algorithm>
#include <initializer_list>
#include <limits>
#include <set>
#include <string_view>

namespace sinter {

namespace {

class Parser {
public:
  Parser(const std::string &text, const std::string &file_name) : lexer_(text, file_name) {}

  Graph parse_graph_file() {
    Graph graph = parse_graph();
    expect_end();
    return graph;
  }

  Model parse_model_file() {
    Model model;
    const bool has_header = lexer_.accept("model");
    if (has_header)
      parse_header(model);
    model.graph = parse_graph();
    expect_end();
    for (const LayerRecord &layer : model.layers)
      check_layer(model.graph, layer);
    for (const Output &output : model.graph.outputs)
      check_output(model.graph, output);
    return model;
  }

private:
  // ---- values -------------------------------------------------------------------------------

  void read(bool &value) {
    if (!lexer_.at("true") && !lexer_.at("false"))
      lexer_.fail("true or false");
    value = lexer_.next().text == "true";
  }
  void read(int64_t &value) { value = lexer_.expect_integer(); }
  void read(double &value) { value = lexer_.expect_number(); }
  void read(std::string &value) { value = lexer_.expect_string(); }

  void read(float &value) {
    // Through strtof, not by narrowing: the shortest text of a float rounds once.
    const Token token = lexer_.peek();
    lexer_.expect_number();
    value = std::strtof(token.text.c_str(), nullptr);
  }

  void read(ElementType &value) {
    const Token token = lexer_.peek();
    const std::optional<ElementType> element = parse_element_type(lexer_.expect_word());
    if (!element)
      throw CompileError(lexer_.location(token), "unknown element type '{}'", token.text);
    value = *element;
  }

  void read_extent(int64_t &value) {
    if (lexer_.accept("N"))
      value = kBatch;
    else
      read(value);
  }
  void read_extent(float &value) { read(value); }

  template <typename T> void read(std::vector<T> &values) {
    values.clear();
    lexer_.expect("[");
    while (!lexer_.accept("]")) {
      if (!values.empty())
        lexer_.expect(",");
      read_extent(values.emplace_back());
    }
  }

  template <size_t count> void read(std::array<int64_t, count> &values) {
    const SourceLocation location = lexer_.location();
    std::vector<int64_t> list;
    read(list);
    if (list.size() != count)
      throw CompileError(location, "expected {} values, found {}", count, list.size());
    std::copy(list.begin(), list.end(), values.begin());
  }

  void read(TensorType &type) {
    type = {};
    read(type.element);
    const SourceLocation location = lexer_.location();
    lexer_.expect("[");
    while (!lexer_.at("]") && !lexer_.at(";")) {
      if (!type.shape.empty())
        lexer_.expect(",");
      read_extent(type.shape.emplace_back());
    }
    if (lexer_.accept(";")) {
      lexer_.expect("block");
      lexer_.expect("=");
      read(type.block);
    }
    lexer_.expect("]");
    check_type(type, location);
  }

  static void check_type(const TensorType &type, const SourceLocation &location) {
    if (!checked_element_count(type.shape))
      throw CompileError(location, "shape {} is not a shape of 1 to {} elements", str(type.shape),
                         kMaxElements);
    // A block pads the last dimension: a wider one than the limit of elements cannot be stored.
    if (type.block < 0 || type.block > 4096 ||
        (type.block > 0 && (type.shape.empty() || type.batched())))
      throw CompileError(location, "block {} does not fit shape {}", type.block, str(type.shape));
  }

  /// `{name=value, ...}`; fields not named keep their default.
  template <typename A> void read_fields(A &attributes) {
    lexer_.expect("{");
    bool first = true;
    while (!lexer_.accept("}")) {
      if (!first)
        lexer_.expect(",");
      first = false;
      const Token field = lexer_.peek();
      const std::string field_name = lexer_.expect_word();
      lexer_.expect("=");
      bool known = false;
      A::fields([&](const char *name, auto member) {
        if (field_name == name) {
          known = true;
          read(attributes.*member);
        }
      });
      if (!known)
        throw CompileError(lexer_.location(field), "unknown attribute '{}'", field_name);
    }
  }

  SourceLocation read_location() {
    SourceLocation location;
    lexer_.expect("(");
    location.file = std::make_shared<const std::string>(lexer_.expect_string());
    lexer_.expect(":");
    location.line = read_int();
    lexer_.expect(":");
    location.column = read_int();
    lexer_.expect(")");
    return location;
  }

  int read_int() {
    const SourceLocation location = lexer_.location();
    const int64_t value = lexer_.expect_integer();
    if (value < 0 || value > std::numeric_limits<int>::max())
      throw CompileError(location, "{} is out of range", value);
    return static_cast<int>(value);
  }

  // ---- the graph ----------------------------------------------------------------------------

  /// `%3`; references are checked against what has been defined.
  NodeId read_id(int limit) {
    lexer_.expect("%");
    const SourceLocation location = lexer_.location();
    const int index = read_int();
    if (index >= limit)
      throw CompileError(location, "%{} is not defined yet", index);
    return {index};
  }

  Graph parse_graph() {
    Graph graph;
    const bool braces = lexer_.accept("graph");
    if (braces)
      lexer_.expect("{");
    while (lexer_.at("%"))
      parse_node(graph);
    while (lexer_.accept("output")) {
      const SourceLocation location = lexer_.location();
      std::string output_name = lexer_.expect_string();
      take_name("output", location, output_name);
      graph.outputs.push_back({std::move(output_name), read_id(graph.size())});
    }
    while (lexer_.accept("update"))
      parse_update(graph);
    if (braces)
      lexer_.expect("}");
    return graph;
  }

  void parse_update(Graph &graph) {
    const SourceLocation location = lexer_.location();
    const NodeId parameter = read_id(graph.size());
    const NodeId value = read_id(graph.size());
    take_name("update", location, fmt::format("%{}", parameter.index));
    if (graph[parameter].kind != OpKind::parameter || graph.type(parameter) != graph.type(value))
      throw CompileError(location, "update of {} by {}", graph.type(parameter).str(),
                         graph.type(value).str());
    graph.updates.push_back({parameter, value});
  }

  void parse_node(Graph &graph) {
    const SourceLocation here = lexer_.location();
    lexer_.expect("%");
    const int index = read_int();
    if (index != graph.size())
      throw CompileError(here, "nodes are numbered in order: expected %{}, found %{}", graph.size(),
                         index);
    lexer_.expect("=");
    const OpKind kind = read_kind();
    std::vector<NodeId> inputs;
    if (lexer_.at("%"))
      do
        inputs.push_back(read_id(graph.size()));
      while (lexer_.accept(","));
    check_arity(here, kind, inputs.size());
    Attrs attributes = default_attrs(kind);
    if (lexer_.at("{"))
      std::visit([&](auto &fields) { read_fields(fields); }, attributes);
    lexer_.expect(":");
    TensorType type;
    read(type);
    std::string layer = lexer_.accept("@") ? lexer_.expect_string() : "";
    const SourceLocation origin = lexer_.accept("loc") ? read_location() : SourceLocation{};
    append(graph, here, kind, inputs, attributes, type, layer, origin);
    if (kind == OpKind::input)
      take_name("input", here, std::get<InputAttrs>(attributes).name);
    if (kind == OpKind::parameter)
      take_name("parameter", here, std::get<ParameterAttrs>(attributes).name);
  }

  /// Of the inputs, the parameters and the outputs, each has a name of its own; a parameter has one
  /// update.
  void take_name(const char *what, const SourceLocation &location, const std::string &name) {
    if (name.empty())
      throw CompileError(location, "{} without a name", what);
    if (!names_.emplace(what, name).second)
      throw CompileError(location, "a second {} \"{}\"", what, name);
  }

  OpKind read_kind() {
    const Token token = lexer_.peek();
    const std::optional<OpKind> kind = parse_op_kind(lexer_.expect_word());
    if (!kind)
      throw CompileError(lexer_.location(token), "unknown operation '{}'", token.text);
    return *kind;
  }

  static void check_arity(const SourceLocation &here, OpKind kind, size_t count) {
    const OpDef &def = op_def(kind);
    const auto inputs = static_cast<int>(count);
    if (inputs < def.min_inputs || (def.max_inputs >= 0 && inputs > def.max_inputs))
      throw CompileError(here, "{} takes {} operands, got {}", name(kind),
                         def.max_inputs < 0 ? fmt::format("at least {}", def.min_inputs)
                         : def.min_inputs == def.max_inputs
                             ? std::to_string(def.min_inputs)
                             : fmt::format("{} to {}", def.min_inputs, def.max_inputs),
                         inputs);
  }

  /// Appends, blaming the line of the .sir file rather than the script that it came from.
  static void append(Graph &graph, const SourceLocation &here, OpKind kind,
                     const std::vector<NodeId> &inputs, const Attrs &attributes,
                     const TensorType &type, const std::string &layer,
                     const SourceLocation &origin) {
    NodeId id;
    try {
      id = graph.append(kind, inputs, attributes, layer, origin);
    } catch (const CompileError &error) {
      throw CompileError(here, error.text());
    }
    if (graph.type(id) != type)
      throw CompileError(here, "{} has type {}, not {}", name(kind), graph.type(id).str(),
                         type.str());
  }

  // ---- the model's header -------------------------------------------------------------------

  void parse_header(Model &model) {
    model.name = lexer_.expect_string();
    lexer_.expect("{");
    while (!lexer_.accept("}")) {
      if (lexer_.accept("layer"))
        parse_layer(model);
      else if (lexer_.accept("training"))
        parse_training(model.training.emplace());
      else if (lexer_.accept("data"))
        parse_data(model.data.emplace());
      else
        lexer_.fail("layer, training or data");
    }
  }

  template <typename T> void read_assignment(const char *field, T &value) {
    lexer_.expect(field);
    lexer_.expect("=");
    read(value);
  }

  static void require_word(const SourceLocation &location, const char *what,
                           const std::string &word, std::initializer_list<std::string_view> known) {
    if (std::find(known.begin(), known.end(), word) == known.end())
      throw CompileError(location, "unknown {} \"{}\"", what, word);
  }

  /// Of what programs count in 32 bits.
  static void check_count(const SourceLocation &location, const char *field, int64_t value,
                          int64_t least) {
    constexpr int64_t most = std::numeric_limits<int32_t>::max();
    if (value < least || value > most)
      throw CompileError(location, "expected {} of {} to {}, found {}", field, least, most, value);
  }

  void read_count(const char *field, int64_t &value, int64_t least) {
    const SourceLocation location = lexer_.location();
    read_assignment(field, value);
    check_count(location, field, value, least);
  }

  static void check_schedule(const ScheduleSpec &spec, const SourceLocation &location) {
    require_word(location, "schedule", spec.kind,
                 {"exponential_decay", "inverse_time_decay", "polynomial_decay", "cosine_decay",
                  "piecewise_constant"});
    if (spec.kind == "piecewise_constant" && spec.factors.size() != spec.boundaries.size() + 1)
      throw CompileError(location, "a schedule of {} boundaries has {} factors",
                         spec.boundaries.size(), spec.factors.size());
  }

  void parse_training(TrainingSpec &training) {
    read_count("epochs", training.epochs, 1);
    read_count("batch_size", training.batch_size, 1);
    read_assignment("shuffle", training.shuffle);
    lexer_.expect("optimizer");
    const SourceLocation optimizer = lexer_.location();
    read_fields(training.optimizer);
    require_word(optimizer, "optimizer", training.optimizer.kind,
                 {"sgd", "adam", "adamax", "nadam", "rmsprop", "adagrad", "adadelta"});
    const SourceLocation schedule = lexer_.location();
    if (lexer_.accept("schedule")) {
      read_fields(training.optimizer.schedule.emplace());
      check_schedule(*training.optimizer.schedule, schedule);
    }
    const SourceLocation stopping = lexer_.location();
    if (lexer_.accept("early_stopping")) {
      read_fields(training.early_stopping.emplace());
      check_count(stopping, "patience", training.early_stopping->patience, 0);
    }
    if (lexer_.accept("checkpoint"))
      read_fields(training.checkpoint.emplace());
    const SourceLocation plateau = lexer_.location();
    if (lexer_.accept("plateau")) {
      read_fields(training.plateau.emplace());
      check_count(plateau, "patience", training.plateau->patience, 0);
      check_count(plateau, "cooldown", training.plateau->cooldown, 0);
    }
    if (lexer_.accept("epoch_rates"))
      read_fields(training.epoch_rates.emplace());
  }

  void parse_data(DataSpec &data) {
    data.dataset = lexer_.expect_string();
    read_count("one_hot", data.one_hot, 0);
    data.reconstruct = lexer_.accept("reconstruct");
    while (lexer_.accept("scaling")) {
      const SourceLocation location = lexer_.location();
      read_fields(data.scaling.emplace_back());
      require_word(location, "scaling", data.scaling.back().op,
                   {"multiply", "divide", "add", "subtract"});
    }
    while (lexer_.accept("subset")) {
      const Token role = lexer_.peek();
      parse_subset(subset_of(data, role, lexer_.expect_string()));
    }
  }

  Subset &subset_of(DataSpec &data, const Token &token, const std::string &role) const {
    if (role == "train")
      return data.train;
    if (role == "validation")
      return data.validation;
    if (role == "test")
      return data.test;
    throw CompileError(lexer_.location(token), "unknown subset \"{}\"", role);
  }

  void parse_subset(Subset &subset) {
    subset.source = lexer_.expect_string();
    while (lexer_.at("{")) {
      const SourceLocation location = lexer_.location();
      read_fields(subset.steps.emplace_back());
      require_word(location, "step of a subset", subset.steps.back().op,
                   {"slice", "split_train", "split_test", "head_fraction", "tail_fraction"});
    }
  }

  // The graph follows the layers, so that ids are checked behind it, by check_layer.
  static constexpr int kAnyId = std::numeric_limits<int>::max();

  std::vector<NodeId> parse_ids() {
    std::vector<NodeId> ids;
    lexer_.expect("[");
    while (!lexer_.accept("]")) {
      if (!ids.empty())
        lexer_.expect(",");
      ids.push_back(read_id(kAnyId));
    }
    return ids;
  }

  void parse_part(std::vector<LayerPart> &parts, int depth) {
    constexpr int kMaxDepth = 100;
    if (depth > kMaxDepth)
      throw CompileError(lexer_.location(), "models are nested more than {} deep", kMaxDepth);
    LayerPart &part = parts.emplace_back();
    part.name = lexer_.expect_string();
    part.type = lexer_.expect_string();
    part.parameters = parse_ids();
    if (!lexer_.accept("{"))
      return;
    while (!lexer_.accept("}")) {
      lexer_.expect("part");
      parse_part(part.parts, depth + 1);
    }
  }

  void parse_layer(Model &model) {
    LayerRecord &layer = model.layers.emplace_back();
    layer.name = lexer_.expect_string();
    layer.type = lexer_.expect_string();
    layer.output = read_id(kAnyId);
    layer.parameters = parse_ids();
    lexer_.expect("[");
    while (!lexer_.accept("]")) {
      if (!layer.inbound.empty())
        lexer_.expect(",");
      layer.inbound.push_back(lexer_.expect_string());
    }
    if (lexer_.accept("loc"))
      layer.location = read_location();
    while (lexer_.accept("part"))
      parse_part(layer.parts, /*depth=*/1);
  }

  void check_parameters(const Graph &graph, const std::string &layer,
                        const std::vector<NodeId> &parameters) const {
    for (const NodeId parameter : parameters) {
      check_id(graph, layer, parameter);
      if (graph[parameter].kind != OpKind::parameter)
        throw CompileError(lexer_.location(), "layer \"{}\" names %{}, which is no parameter",
                           layer, parameter.index);
    }
  }

  void check_id(const Graph &graph, const std::string &layer, NodeId id) const {
    if (id.index >= graph.size())
      throw CompileError(lexer_.location(), "layer \"{}\" names %{}, but the graph has {} nodes",
                         layer, id.index, graph.size());
  }

  void check_parts(const Graph &graph, const std::vector<LayerPart> &parts) const {
    for (const LayerPart &part : parts) {
      check_parameters(graph, part.name, part.parameters);
      check_parts(graph, part.parts);
    }
  }

  void check_layer(const Graph &graph, const LayerRecord &layer) const {
    check_id(graph, layer.name, layer.output);
    check_parameters(graph, layer.name, layer.parameters);
    check_parts(graph, layer.parts);
  }

  /// What is no prediction is a number that training looks at. "gradient:NAME" is the compiler's.
  void check_output(const Graph &graph, const Output &output) const {
    if (is_prediction(output))
      return;
    const TensorType &type = graph.type(output.value);
    if (type != TensorType{})
      throw CompileError(lexer_.location(), "output \"{}\" is {}, not a scalar f32[]", output.name,
                         type.str());
    if (output.name.rfind("gradient:", 0) == 0)
      throw CompileError(lexer_.location(), "output \"{}\" has a name that gradients have",
                         output.name);
  }

  void expect_end() {
    if (lexer_.peek().kind != TokenKind::end)
      lexer_.fail("a node, an output, an update or the end");
  }

  TextLexer lexer_;
  std::set<std::pair<std::string, std::string>> names_; // what has it, and the name
};

} // namespace

Graph parse_graph(const std::string &text, const std::string &file_name) {
  return Parser(text, file_name).parse_graph_file();
}

Model parse_model(const std::string &text, const std::string &file_name) {
  return Parser(text, file_name).parse_model_file();
}

} // namespace sinter
