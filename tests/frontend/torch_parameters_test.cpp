// What modules of torch.nn hold beside layers, and what tensors are made of.
#include "tests/frontend/support.h"

#include <doctest/doctest.h>

using namespace sinter;

namespace {

const std::string kImports = R"(import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from torch.utils.data import DataLoader
from torchinfo import summary
)";

std::vector<std::string> parameter_names(const Model &model) {
  std::vector<std::string> names;
  for (const NodeId id : model.graph.all(OpKind::parameter))
    names.push_back(attrs<ParameterAttrs>(model.graph[id]).name);
  return names;
}

} // namespace

TEST_CASE("Parameters are weights of the module that they are assigned to") {
  const Model model = load(kImports + R"(
class Scale(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.gamma = nn.Parameter(1e-2 * torch.ones(channels))
        self.register_parameter('shift', nn.Parameter(torch.zeros((1, channels, 1, 1))))
    def forward(self, x):
        return x * self.gamma.view(1, -1, 1, 1) + self.shift
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = Scale(3)
        self.alpha = nn.Parameter(torch.full((1,), 0.5))
        self.fixed = nn.Parameter(torch.randn(4, 2) / 10, requires_grad=False)
        self.register_buffer('offset', -0.5 * torch.ones(1))
        self.register_buffer('count', torch.tensor(0))
        self.w = nn.Parameter(torch.empty(3, 4))
        nn.init.normal_(self.w, std=0.02)
    def forward(self, x):
        x = self.scale(x) * self.alpha + self.offset
        return x.mean(dim=(2, 3)) @ self.w @ self.fixed
net = Net()
net(torch.randn(1, 3, 5, 5))
net(torch.randn(2, 3, 6, 6))
)");
  CHECK(parameter(model, "scale.gamma").initializer == "constant");
  CHECK(parameter(model, "scale.gamma").a == 0.01F);
  CHECK(parameter(model, "scale.shift").type.shape == Shape{1, 3, 1, 1});
  CHECK(parameter(model, "alpha").a == 0.5F);
  CHECK(parameter(model, "w").initializer == "normal");
  CHECK(parameter(model, "w").b == 0.02F);
  CHECK(parameter(model, "fixed").role == "statistic");
  CHECK(parameter(model, "fixed").b == 0.1F);
  CHECK(parameter(model, "offset").role == "statistic");
  CHECK(parameter(model, "offset").a == -0.5F);
  CHECK(parameter_names(model).size() == 6);
  CHECK(error_of(kImports + "w = nn.Parameter(torch.ones(3) + 1)\n").find("a Parameter of") !=
        std::string::npos);
}

TEST_CASE("Parameters start as what their example was changed to") {
  const auto made = [](const std::string &example) {
    const Model model = load(kImports + R"(
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        w = )" + example + R"(
        self.w = nn.Parameter(w)
    def forward(self, x):
        return x * self.w
Net()(torch.randn(1, 7))
)");
    const ParameterAttrs &w = parameter(model, "w");
    return fmt::format("{} {} {}", w.initializer, w.a, w.b);
  };
  CHECK(made("-torch.ones(7)") == "constant -1 -0");
  CHECK(made("-torch.rand(7)") == "uniform -1 -0");
  CHECK(made("torch.zeros(7).normal_(1, .02)") == "normal 1 0.02");
  CHECK(made("torch.empty(7).uniform_(-1, 1) * 2") == "uniform -2 2");
  CHECK(made("torch.ones(7); w.fill_(3.)") == "constant 3 0");
  CHECK(made("torch.randn(7).float().to('cuda').clone()") == "normal 0 1");
  CHECK(made("torch.randn(7); w.detach().zero_()") == "zeros 0 0");
  for (const char *example :
       {"abs(torch.randn(7))", "torch.ones(7).mul(.5)", "torch.ones(7).neg()", "torch.ones(14)[7:]",
        "torch.ones(7).view(7, 1)", "torch.rand(7) > 0.5", "not torch.ones(7)", "~torch.ones(7)",
        "torch.ones(7); w.mul_(2)", "torch.ones(7); w[0] = 2", "torch.ones(2, 7); w, v = w",
        "[v for v in torch.ones(1, 7)]"}) {
    CAPTURE(example);
    CHECK(
        error_of(kImports + "w = " + example + "\nw = nn.Parameter(w)\n").find("a Parameter of") !=
        std::string::npos);
  }
  for (const char *change : {"w.bias.data[1:].fill_(1.)", "w.bias.data[1:] = 1."}) {
    CAPTURE(change);
    CHECK(error_of(kImports + "w = nn.Linear(2, 4)\n" + change + "\nw(torch.ones(1, 2))\n")
              .find("a module's bias") != std::string::npos);
  }
}

TEST_CASE("classes may derive from ModuleList and ModuleDict") {
  const Model model = load(kImports + R"(
class Blocks(nn.ModuleList):
    def __init__(self, count):
        super().__init__([nn.Linear(4, 4) for _ in range(count)])
    def forward(self, x):
        for block in self:
            x = F.relu(block(x))
        return self[0](x)
class Heads(nn.ModuleDict):
    def __init__(self):
        super().__init__({'one': nn.Linear(4, 2)})
        self.add_module('two', nn.Linear(4, 2))
    def forward(self, x):
        return sum([self[name](x) for name in self]) + self['one'](x)
net = nn.Sequential(Blocks(2), Heads())
for name, head in net[1].items():
    head.apply(lambda module: nn.init.zeros_(module.bias))
summary(net, (1, 4))
)");
  CHECK(parameter_names(model) == std::vector<std::string>{"0.0.weight", "0.0.bias", "0.1.weight",
                                                           "0.1.bias", "1.one.weight", "1.one.bias",
                                                           "1.two.weight", "1.two.bias"});
}

TEST_CASE("a walk along the one Sequential of a module shows its input") {
  const Model model = load(kImports + R"(
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.LazyConv2d(4, 3), nn.Flatten(), nn.LazyLinear(2))
    def forward(self, x):
        return self.net(x)
model = Net()
X = torch.rand(size=(1, 1, 6, 6))
for layer in model.net:
    X = layer(X)
    print(layer.__class__.__name__, X.shape)
)");
  CHECK(parameter_names(model) ==
        std::vector<std::string>{"net.0.weight", "net.0.bias", "net.2.weight", "net.2.bias"});
}

TEST_CASE("None behind a tensor's indices adds dimensions") {
  const Model model = load(kImports + R"(
class Gate(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(6, 6)
    def forward(self, x):
        return x * torch.sigmoid(self.fc(x.mean(dim=(2, 3))))[:, :, None, None]
summary(Gate(), (1, 6, 5, 4))
)");
  CHECK(str(model.graph.type(model.graph.find_output("prediction")).shape) == "[N,6,5,4]");
}

TEST_CASE("torch.tensor of a data set's arrays is the array") {
  const Model model = load(kImports + R"(
from tensorflow import keras
(x, y), (xt, yt) = keras.datasets.mnist.load_data()
x = torch.tensor(x, dtype=torch.float32).unsqueeze(1) / 255
y = torch.from_numpy(y).long()
loader = DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=32, shuffle=True)
model = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
optimizer = optim.Adam(model.parameters())
for images, labels in loader:
    loss = F.cross_entropy(model(images), labels)
    loss.backward()
    optimizer.step()
)");
  CHECK(model.data->scaling.size() == 1);
  CHECK(str(model.graph.type(model.graph.all(OpKind::input).at(0)).shape) == "[N,1,28,28]");
}
