// torch.nn: what modules mean, how they are named, how scripts train them.
#include "tests/frontend/support.h"
#include "tests/paths.h"

#include <doctest/doctest.h>

using namespace sinter;

namespace {

const std::string kImports = R"(import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from torch.utils.data import DataLoader
from torchvision import datasets, transforms
from torchinfo import summary
from collections import OrderedDict
)";

/// A module applied to an input of that shape.
Model module(const std::string &expression, const std::string &shape) {
  return load(kImports + "model = nn.Sequential(" + expression + ")\nsummary(model, " + shape +
              ")\n");
}

std::string result(const std::string &expression, const std::string &shape) {
  const Model model = module(expression, shape);
  return str(model.graph.type(model.graph.find_output("prediction")).shape);
}

std::vector<std::string> parameter_names(const Model &model) {
  std::vector<std::string> names;
  for (const NodeId id : model.graph.all(OpKind::parameter))
    names.push_back(attrs<ParameterAttrs>(model.graph[id]).name);
  return names;
}

const std::string kLoop = R"(
data = datasets.MNIST('.', train=True, transform=transforms.Compose([
    transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))]))
loader = DataLoader(data, batch_size=64, shuffle=True)
model = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
optimizer = optim.SGD(model.parameters(), lr=0.01, momentum=0.5)
criterion = nn.CrossEntropyLoss()
for epoch in range(3):
    for i, (images, labels) in enumerate(loader):
        optimizer.zero_grad()
        loss = criterion(model(images), labels)
        loss.backward()
        optimizer.step()
        running = loss.item() * 2
)";

} // namespace

TEST_CASE("torch layers have torch's shapes") {
  CHECK(result("nn.Conv2d(3, 8, 3, stride=2, padding=1)", "(1, 3, 9, 8)") == "[N,8,5,4]");
  CHECK(result("nn.Conv2d(3, 8, (3, 5), padding='same')", "(1, 3, 9, 8)") == "[N,8,9,8]");
  CHECK(result("nn.Conv2d(4, 8, 3, groups=2)", "(1, 4, 9, 8)") == "[N,8,7,6]");
  CHECK(result("nn.MaxPool2d(3, 2, ceil_mode=True)", "(1, 3, 6, 7)") == "[N,3,3,3]");
  CHECK(result("nn.AvgPool2d(3, 2, ceil_mode=True)", "(1, 3, 6, 7)") == "[N,3,3,3]");
  CHECK(result("nn.MaxPool2d(3, 2)", "(1, 3, 6, 7)") == "[N,3,2,3]");
  CHECK(result("nn.AvgPool2d(2, padding=1)", "(1, 3, 6, 6)") == "[N,3,4,4]");
  CHECK(result("nn.AdaptiveAvgPool2d((1, 1))", "(1, 3, 6, 7)") == "[N,3,1,1]");
  CHECK(result("nn.AdaptiveAvgPool2d(3)", "(1, 3, 6, 9)") == "[N,3,3,3]");
  CHECK(result("nn.BatchNorm2d(3), nn.ReLU6(), nn.Dropout2d(0.3)", "(1, 3, 6, 7)") == "[N,3,6,7]");
  CHECK(result("nn.Flatten(), nn.Linear(18, 4), nn.LogSoftmax(dim=1)", "(1, 2, 3, 3)") == "[N,4]");
  CHECK(result("nn.Upsample(scale_factor=2), nn.ZeroPad2d((1, 0, 2, 0))", "(1, 2, 3, 3)") ==
        "[N,2,8,7]");
  CHECK(result("nn.ConvTranspose2d(2, 4, 3, stride=2, padding=1, output_padding=1)",
               "(1, 2, 5, 6)") == "[N,4,10,12]");
  CHECK(result("nn.LocalResponseNorm(5), nn.GELU(), nn.SiLU(), nn.Hardswish()", "(1, 8, 3, 3)") ==
        "[N,8,3,3]");
}

TEST_CASE("bilinear upsampling keeps the corners of the image, or of the outermost pixels") {
  const auto weights = [](const std::string &arguments) {
    const Model model =
        module("nn.Upsample(scale_factor=2, mode='bilinear'" + arguments + ")", "(1, 1, 2, 2)");
    const Node &first = model.graph[model.graph.all(OpKind::resample).front()];
    return attrs<ResampleAttrs>(first).weights;
  };
  CHECK(weights("") == std::vector<float>{0.25F, 0.75F, 0.75F, 0.25F, 0.25F, 0.75F, 0.75F, 0.25F});
  CHECK(weights(", align_corners=True")[2] == doctest::Approx(2.0 / 3));
}

TEST_CASE("torch starts weights and biases uniformly within 1 / sqrt(fan_in)") {
  const Model model = module("nn.Conv2d(4, 8, 5), nn.Flatten(), nn.Linear(8, 2)", "(1, 4, 5, 5)");
  CHECK(parameter(model, "0.weight").initializer == "uniform");
  CHECK(parameter(model, "0.weight").b == doctest::Approx(0.1));
  CHECK(parameter(model, "0.bias").a == doctest::Approx(-0.1));
  CHECK(parameter(model, "0.weight").type.shape == Shape{5, 5, 4, 8});
  CHECK(parameter(model, "2.weight").b == doctest::Approx(0.35355339));
}

TEST_CASE("parameters are named as in state_dict") {
  const Model model = load(kImports + R"(
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(OrderedDict([('conv', nn.Conv2d(1, 2, 3)), ('relu', nn.ReLU())]))
        self.heads = nn.ModuleList([nn.Linear(8, 2), nn.Linear(2, 2)])
        nn.init.xavier_uniform_(self.heads[0].weight)
        nn.init.zeros_(self.heads[0].bias)
    def forward(self, x):
        x = self.features(x)
        x = F.max_pool2d(F.relu(x), 2)
        x = x.view(x.size(0), -1)
        for head in self.heads:
            x = head(x)
        return F.dropout(x, training=self.training)
model = Net()
model(torch.zeros(1, 1, 6, 6))
)");
  CHECK(parameter_names(model) ==
        std::vector<std::string>{"features.conv.weight", "features.conv.bias", "heads.0.weight",
                                 "heads.0.bias", "heads.1.weight", "heads.1.bias"});
  CHECK(parameter(model, "heads.0.bias").initializer == "zeros");
  CHECK(parameter(model, "heads.0.weight").b == doctest::Approx(0.77459667)); // sqrt(6 / (8 + 2))
}

TEST_CASE("weights start as loops over the modules say") {
  const std::string code = kImports + R"(
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.drop = nn.Dropout2d(0.25)
        self.fc = nn.Linear(16, 2)
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                n = m.kernel_size[0] * m.kernel_size[1] * m.out_channels
                m.weight.data.normal_(0, 6 / n)
                m.bias.data.fill_(0.5)
            elif isinstance(m, nn.BatchNorm2d):
                m.weight.data.zero_()
            elif isinstance(m, nn.Linear):
                m.weight.data.uniform_(-0.25, b=0.125)
    def forward(self, x):
        return self.fc(self.drop(torch.flatten(self.norm(self.conv(x)), 1)))
model = Net()
model(torch.zeros(1, 2, 4, 4))
)";
  const Model model = load(code);
  CHECK(parameter(model, "conv.weight").initializer == "normal");
  CHECK(parameter(model, "conv.weight").b == doctest::Approx(6.0 / 36));
  CHECK(parameter(model, "conv.bias").initializer == "constant");
  CHECK(parameter(model, "conv.bias").a == 0.5F);
  CHECK(parameter(model, "norm.weight").initializer == "zeros");
  CHECK(parameter(model, "fc.weight").a == -0.25F);
  CHECK(parameter(model, "fc.weight").b == 0.125F);
  CHECK(attrs<DropoutAttrs>(model.graph[model.graph.all(OpKind::dropout).at(0)]).shared.empty());
  CHECK(parameter(load(code + "nn.init.ones_(model.conv.weight)\n"), "conv.weight").initializer ==
        "ones"); // after an example has built it
  CHECK(error_of(code + "model.fc.weight.data.mul_(2)\n")
            .find("a module's weight has no method 'mul_' that a model script can use") !=
        std::string::npos);
}

TEST_CASE("a Sequential is a sequence: of parts, and of shorter ones") {
  const Model model = load(kImports + R"(
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Conv2d(2, 3, 3), nn.Flatten())
        nn.init.orthogonal_(self.body[-2].weight, gain=0.5)
        assert len(self.body) == 4
    def forward(self, x):
        for layer in self.body[:2]:
            assert layer.__class__.__name__ in ('Conv2d', 'ReLU')
            x = layer(x)
        return self.body[2:](x)
model = Net()
model(torch.rand(size=(1, 1, 6, 7)))
)");
  CHECK(parameter_names(model) ==
        std::vector<std::string>{"body.0.weight", "body.0.bias", "body.2.weight", "body.2.bias"});
  CHECK(str(model.graph.type(model.graph.outputs[0].value).shape) == "[N,18]");
  CHECK(parameter(model, "body.2.weight").initializer == "orthogonal");
  CHECK(parameter(model, "body.2.weight").a == 0.5F);
  CHECK(error_of(kImports + "net = nn.Sequential(nn.ReLU())\nnet[1]\n")
            .find("index 1 is outside a") != std::string::npos);
}

TEST_CASE("lazy layers take what they are called on") {
  const Model model = load(kImports + R"(
def init(m):
    if type(m) == nn.Linear or isinstance(m, nn.Conv2d):
        nn.init.trunc_normal_(m.weight, std=0.02)
net = nn.Sequential(nn.LazyConv2d(4, kernel_size=3), nn.LazyBatchNorm2d(), nn.Flatten(),
                    nn.LazyLinear(5))
net(torch.rand(1, 2, 4, 4))
for name, m in net.named_modules():
    assert (name == '') == isinstance(m, nn.Sequential) and not isinstance(m, nn.GroupNorm)
assert [name for name, m in net.named_children()] == ['0', '1', '2', '3']
net.apply(init)
net(torch.rand(1, 2, 4, 4))
)");
  CHECK(str(model.graph.type(model.graph.find_parameter("0.weight")).shape) == "[3,3,2,4]");
  CHECK(str(model.graph.type(model.graph.find_parameter("3.weight")).shape) == "[16,5]");
  CHECK(parameter(model, "3.weight").initializer == "normal");
  CHECK(parameter(model, "3.weight").b == 0.02F);
  CHECK(parameter(model, "0.weight").initializer == "normal");
  const std::string layer = kImports + "m = nn.Linear(2, 2)\nnn.init.trunc_normal_(m.weight, ";
  CHECK(error_of(layer + "std=1., a=-3)").find("between -3 and 2 standard deviations is not") !=
        std::string::npos);
  CHECK(error_of(layer + "std=1.)\nx").find("name 'x' is not defined") != std::string::npos);
}

TEST_CASE("a class may derive from Sequential") {
  const std::string code = kImports + R"(
class ConvReLU(nn.Sequential):
    def __init__(self, i, o, kernel_size=3):
        super().__init__(nn.Conv2d(i, o, kernel_size), nn.ReLU())
        self.out_channels = o
class Transition(nn.Sequential):
    def __init__(self, i):
        super(Transition, self).__init__()
        self.add_module('norm', nn.BatchNorm2d(i))
        self.append(nn.Flatten())
class Doubled(ConvReLU):
    def forward(self, x):
        return super().forward(x) + self[0](x)
model = nn.Sequential(ConvReLU(1, 2), Doubled(2, 3, 1), Transition(3))
assert isinstance(model[0], nn.Sequential) and model[0].out_channels == 2 and len(model[2]) == 2
assert type(model) == nn.Sequential and type(model[0]) == ConvReLU
model(torch.zeros(1, 1, 4, 5))
)";
  const Model model = load(code);
  CHECK(parameter_names(model) == std::vector<std::string>{"0.0.weight", "0.0.bias", "1.0.weight",
                                                           "1.0.bias", "2.norm.weight",
                                                           "2.norm.bias", "2.norm.running_mean",
                                                           "2.norm.running_var"});
  CHECK(str(model.graph.type(model.graph.outputs[0].value).shape) == "[N,18]");
  CHECK(model.graph.all(OpKind::conv2d).size() == 3);
}

TEST_CASE("tensors are sliced, split, transposed and expanded") {
  const auto forward = [](const std::string &body) {
    const Model model = load(kImports + "class Net(nn.Module):\n    def forward(self, x):\n" +
                             body + "model = Net()\nmodel(torch.zeros(2, 6, 4, 5))\n");
    return str(model.graph.type(model.graph.outputs[0].value).shape);
  };
  CHECK(forward("        return x[:, :2, 1:]\n") == "[N,2,3,5]");
  CHECK(forward("        return x[:, 0]\n") == "[N,4,5]");
  CHECK(forward("        return x[..., -1, :]\n") == "[N,6,5]");
  CHECK(forward("        return x[:, None]\n") == "[N,1,6,4,5]");
  CHECK(forward("        return x[:, 0, None]\n") == "[N,1,4,5]");
  CHECK(forward("        return x[:, :, None]\n") == "[N,6,1,4,5]");
  CHECK(forward("        return x[:, None, 1:, 0, None]\n") == "[N,1,5,1,5]");
  CHECK(forward("        return x[:, None, ..., 0, None]\n") == "[N,1,6,4,1]");
  CHECK(forward("        return x[..., None]\n") == "[N,6,4,5,1]");
  CHECK(forward("        a, b = x.chunk(2, dim=1)\n        return a * b\n") == "[N,3,4,5]");
  CHECK(forward("        a, b = torch.split(x, 4, dim=1)\n        return b\n") == "[N,2,4,5]");
  CHECK(forward("        a, b = x.split([1, 5], 1)\n        return b.transpose(1, -1)\n") ==
        "[N,5,4,5]");
  CHECK(forward("        y = F.adaptive_avg_pool2d(x, 1)\n"
                "        return torch.cat([x, y.expand_as(x)], 1)\n") == "[N,12,4,5]");
  const auto fails = [](const std::string &expression) {
    return error_of(kImports + "class Net(nn.Module):\n    def forward(self, x):\n        return " +
                    expression + "\nNet()(torch.zeros(2, 6, 4, 5))\n");
  };
  CHECK(fails("x[0]").find("all samples first: x[:, 0], got 0 in dimension 0") !=
        std::string::npos);
  CHECK(fails("x[None]").find("before the batch") != std::string::npos);
  CHECK(fails("x[:, 6]").find("has no part 6") != std::string::npos);
  CHECK(fails("x[:, ::2]").find("slices without a step") != std::string::npos);
  CHECK(fails("x.split([1, 4], 1)[0]").find("cannot divide 6 into [1, 4]") != std::string::npos);
  CHECK(fails("x.mean((2, 3)).expand_as(x)").find("does not expand to") != std::string::npos);
}

TEST_CASE("the parts of a module are called to look at shapes; the module is the program's") {
  const std::string code = kImports + R"(
net = nn.Sequential(nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU()), nn.Flatten(), nn.Linear(40, 3))
x = torch.rand(size=(1, 1, 6, 7))
for layer in net:
    x = layer(x)
    print(layer.__class__.__name__, 'output shape:\t', x.shape)
)";
  const Model model = load(code + "net(torch.rand(1, 1, 6, 7))\n");
  CHECK(parameter_names(model) ==
        std::vector<std::string>{"0.0.weight", "0.0.bias", "2.weight", "2.bias"});
  CHECK(
      load(code + "net(torch.rand(1, 1, 6, 7))\nnet[0](torch.rand(1, 1, 6, 7))\n").layers.size() ==
      model.layers.size());
  CHECK(parameter_names(load(code)) == parameter_names(model));
  CHECK(str(load(code).graph.type(load(code).graph.outputs[0].value).shape) == "[N,3]");
  CHECK(error_of(code + "net[1](x)\nnet = nn.Sequential(nn.Identity(), net)\n")
            .find("the input shape of module 'sequential_2' is not known: call it on") !=
        std::string::npos);
}

TEST_CASE("a module that grows after an example is built again") {
  const Model model = load(kImports + R"(
model = nn.Sequential()
model.add_module('conv', nn.Conv2d(1, 2, 3))
model.add_module('flatten', nn.Flatten())
outputs = model(torch.ones(1, 1, 4, 4))
print(outputs.shape)
model.add_module('dense', nn.Linear(8, 3))
model(torch.ones(1, 1, 4, 4))
)");
  CHECK(layer_names(model) == std::vector<std::string>{"input", "conv", "flatten", "dense"});
}

TEST_CASE("a loop over a DataLoader trains") {
  const Model model = load(kImports + kLoop);
  REQUIRE(model.training);
  CHECK(model.training->epochs == 3);
  CHECK(model.training->batch_size == 64);
  CHECK(model.training->optimizer.kind == "sgd");
  CHECK(model.training->optimizer.momentum == 0.5);
  CHECK(model.training->optimizer.epsilon_after_root);
  CHECK(model.training->shuffle);
  REQUIRE(model.data);
  CHECK(model.data->dataset == "mnist");
  CHECK(model.data->train.source == "train");
  REQUIRE(model.data->scaling.size() == 3);
  CHECK(model.data->scaling[1].op == "subtract");
  CHECK(model.data->scaling[2].value == 0.3081F);
  CHECK(model.graph.find_output("accuracy").valid());
}

TEST_CASE("a progress bar is what it shows") {
  std::string code = kImports + kLoop;
  code.replace(code.find("range(3)"), 8, "tqdm(range(3), desc='epochs')");
  code.replace(code.find("enumerate(loader)"), 17, "enumerate(tqdm(loader, leave=False))");
  CHECK(load("from tqdm.auto import tqdm\n" + code).training->epochs == 3);
  code = "from tqdm import tqdm, trange\n" + kImports + kLoop + R"(
bar = tqdm(range(2))
for epoch in bar:
    with tqdm(loader, unit='batch') as batches:
        for images, labels in batches:
            optimizer.zero_grad()
            loss = criterion(model(images), labels)
            loss.backward()
            optimizer.step()
            batches.set_postfix(loss=loss.item())
    bar.set_description(f'epoch {epoch}')
)";
  CHECK(load(code).training->epochs == 5);
}

TEST_CASE("functional losses have their criterion's arguments") {
  const auto trained_by = [](const std::string &loss) {
    std::string code = kImports + kLoop;
    code.replace(code.find("criterion(model(images), labels)"), 32, loss);
    return code;
  };
  const Model smoothed =
      load(trained_by("F.cross_entropy(model(images), labels, label_smoothing=0.1)"));
  const Model same = load([] {
    std::string code = kImports + kLoop;
    code.replace(code.find("nn.CrossEntropyLoss()"), 21,
                 "nn.CrossEntropyLoss(label_smoothing=0.1)");
    return code;
  }());
  CHECK(smoothed.graph.size() == same.graph.size());
  CHECK(smoothed.training->epochs == 3);
  CHECK(error_of(trained_by("F.nll_loss(model(images), labels, reduction='sum')"))
            .find("step() without backward() of a criterion") != std::string::npos);
  CHECK(load(kImports + kLoop +
             "for images, labels in loader:\n"
             "    total = F.nll_loss(model(images), labels, reduction='sum').item()\n")
            .training->epochs == 3);
}

TEST_CASE("a data set is split at random") {
  const auto split = [](const std::string &lengths) {
    std::string code = kImports + kLoop;
    code.replace(
        code.find("loader = DataLoader(data,"), 25,
        "from torch.utils.data import random_split\n"
        "first, second = random_split(data, " +
            lengths +
            ", generator=torch.Generator().manual_seed(1))\n"
            "check = data[0]\nassert len(data) == 60000 and not torch.cuda.is_available()\n"
            "second_loader = DataLoader(second, batch_size=100)\n"
            "loader = DataLoader(first,");
    return code + "for images, labels in second_loader:\n    model(images)\n";
  };
  const Model model = load(split("[len(data) - 5000, 5000]"));
  CHECK(model.data->train.steps.at(0).op == "split_train");
  CHECK(model.data->train.steps.at(0).test_size == 5000);
  CHECK(model.data->test.source == "train");
  CHECK(model.data->test.steps.at(0).op == "split_test");
  CHECK(model.data->train.steps.at(0).shuffle);
  CHECK(load(split("[0.9, 0.1]")).data->train.steps.at(0).test_size == 6000);
  CHECK(error_of(split("[50000, 5000]")).find("random_split of 60000 samples into [50000, 5000]") !=
        std::string::npos);
  CHECK(error_of(split("[1, 2, 3]")).find("two parts") != std::string::npos);
}

TEST_CASE("every optimizer trains a module without a loop") {
  for (const std::string name :
       {"SGD", "Adam", "AdamW", "Adamax", "NAdam", "Adadelta", "Adagrad", "RMSprop"}) {
    INFO(name);
    const Model model = load(kImports +
                             "model = nn.Sequential(nn.Linear(8, 3))\nsummary(model, (1, 8))\n"
                             "criterion = nn.CrossEntropyLoss()\noptimizer = optim." +
                             name + "(model.parameters(), lr=0.25)\n");
    REQUIRE(model.training);
    CHECK(model.training->optimizer.learning_rate == 0.25F);
    CHECK(model.training->optimizer.rho == (name == "RMSprop" ? 0.99 : 0.9));
    CHECK(model.training->optimizer.momentum_decay == (name == "NAdam" ? 0.004 : 1));
  }
  CHECK(error_of(kImports + "model = nn.Sequential(nn.Linear(8, 3))\nsummary(model, (1, 8))\n"
                            "criterion = nn.CrossEntropyLoss()\n"
                            "optimizer = optim.SGD(model.parameters(), lr=-1)\n") ==
        "12: SGD: lr must not be negative, got -1");
}

TEST_CASE("dropout that is told not to train is the identity") {
  const auto dropouts = [](const std::string &training) {
    const Model model =
        load(kImports +
             "class Net(nn.Module):\n"
             "  def forward(self, x):\n"
             "    x = F.dropout(x, 0.5" +
             training + ")\n    return F.relu(x)\nmodel = Net()\nsummary(model, (1, 8))\n");
    return model.graph.all(OpKind::dropout).size();
  };
  CHECK(dropouts("") == 1);
  CHECK(dropouts(", training=self.training") == 1);
  CHECK(dropouts(", training=False") == 0);
}

/// The loop with `made` behind the optimizer, `clipped` before its step and `stepped` every epoch.
std::string loop_with(const std::string &made, const std::string &clipped,
                      const std::string &stepped) {
  std::string loop = kLoop;
  const auto insert = [&](const std::string &behind, const std::string &line) {
    loop.insert(loop.find(behind) + behind.size(), line + "\n");
  };
  insert("momentum=0.5)\n", made);
  insert("loss.backward()\n", "        " + clipped);
  return kImports + loop + "    " + stepped + "\n";
}

TEST_CASE("schedulers change the rate between epochs") {
  const auto rates = [](const std::string &scheduler) {
    const std::string script = loop_with("s = optim.lr_scheduler." + scheduler, "pass", "s.step()");
    return load(script).training->epoch_rates->values;
  };
  CHECK(rates("StepLR(optimizer, 2, gamma=0.5)") == std::vector<float>{0.01F, 0.01F, 0.005F});
  CHECK(rates("MultiStepLR(optimizer, milestones=[1, 2, 2])") ==
        std::vector<float>{0.01F, 0.001F, 0.00001F});
  CHECK(rates("ExponentialLR(optimizer, gamma=0.5)") == std::vector<float>{0.01F, 0.005F, 0.0025F});
  CHECK(rates("LambdaLR(optimizer, lr_lambda=lambda epoch: (epoch + 1) / 2)") ==
        std::vector<float>{0.005F, 0.01F, 0.015F});
  const std::vector<float> cosine = rates("CosineAnnealingLR(optimizer, T_max=1, eta_min=0.002)");
  CHECK(cosine[1] == doctest::Approx(0.002));
  CHECK(cosine[2] == doctest::Approx(0.01)); // it rises again
  const Model both = load(loop_with("s = optim.lr_scheduler.StepLR(optimizer, 1)\n"
                                    "t = optim.lr_scheduler.ExponentialLR(optimizer, 0.5)",
                                    "pass", "s.step(); t.step(); print(s.get_last_lr()[0])"));
  CHECK(both.training->epoch_rates->values[2] == doctest::Approx(0.01 * 0.05 * 0.05));
  CHECK_FALSE(load(kImports + kLoop).training->epoch_rates);
  CHECK(error_of(loop_with("s = optim.lr_scheduler.StepLR(optimizer, 1)", "s.step()", "pass"))
            .find("StepLR.step() in a loop over batches is not supported") != std::string::npos);
}

TEST_CASE("gradients are clipped between backward() and step()") {
  const auto optimizer = [](const std::string &clipped) {
    return load(loop_with("", clipped, "pass")).training->optimizer;
  };
  const std::string norm = "nn.utils.clip_grad_norm_(model.parameters(), max_norm=2)";
  const std::string value = "torch.nn.utils.clip_grad_value_(model.parameters(), 0.5)";
  CHECK(optimizer(norm).global_clip_norm == 2);
  CHECK(optimizer(value).clip_value == 0.5F);
  CHECK(optimizer(norm + "; " + value).global_clip_norm == 2);
  const auto error = [](const std::string &clipped, const std::string &after = "pass") {
    return error_of(loop_with("", clipped, after));
  };
  CHECK(error(value + "; " + norm).find("clip_grad_norm_ after clip_grad_value_") !=
        std::string::npos);
  CHECK(error("nn.utils.clip_grad_norm_(criterion, 1)").find("must stand between") !=
        std::string::npos);
  CHECK(error("pass", norm).find("must stand between") != std::string::npos);
  CHECK(error("nn.utils.clip_grad_norm_(model.parameters(), epoch + 1)")
            .find("is trained with other settings") != std::string::npos);
}

TEST_CASE("what a training loop cannot say is an error") {
  const auto error = [](const std::string &code) { return error_of(kImports + kLoop + code); };
  CHECK(error("optimizer.step()\n").find("step() without backward()") != std::string::npos);
  CHECK(error("loss = criterion(model(torch.ones(1, 784)), labels)\nloss.backward()\n"
              "optimizer.step()\n")
            .find("a training step must be taken in a loop over a DataLoader") !=
        std::string::npos);
  CHECK(error("for epoch in range(2):\n    for images, labels in loader:\n"
              "        loss = criterion(model(images), labels)\n"
              "    if loss.item() < 3:\n        break\n")
            .find("how often this loop runs depends on") != std::string::npos);
  CHECK(error("for p in model.parameters():\n    p.requires_grad = False\n")
            .find("freezing the parameters of a module is not supported") != std::string::npos);
  CHECK(error("model.load_state_dict(torch.load('x.pt'))\n").find("use --weights=FILE") !=
        std::string::npos);
}

TEST_CASE("torch's errors are in torch's terms") {
  const auto error = [](const std::string &layer, const std::string &shape) {
    return error_of(kImports + "model = nn.Sequential(" + layer + ")\nsummary(model, " + shape +
                    ")\n");
  };
  CHECK(error("nn.Conv2d(3, 8, 3)", "(1, 1, 9, 8)").find("expects 3 input channels, got 1") !=
        std::string::npos);
  CHECK(error("nn.Flatten(), nn.Linear(9, 2)", "(1, 1, 9, 8)")
            .find("expects 9 input features, got 72") != std::string::npos);
  CHECK(error("nn.AdaptiveAvgPool2d(4)", "(1, 1, 9, 8)").find("that divides its input") !=
        std::string::npos);
  CHECK(error("nn.Conv2D(3, 8, 3)", "(1, 3, 9, 8)").find("did you mean 'Conv2d'?") !=
        std::string::npos);
}
