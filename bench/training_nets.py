"""PyTorch's side of compare_training.py: the networks of tests/end_to_end/training_steps.

Each is built from a width, returns a list of logits (one a loss) and tells under which names and in
which order of dimensions Sinter keeps its tensors. Where Keras and PyTorch differ, these are Keras:
the odd pixel of 'same' padding lies at the bottom and right, dense layers count an image's values
channels last, and the moving variance is that of the batch itself.
"""
import ast
import pathlib
from typing import NamedTuple, Tuple

import torch
import torch.nn.functional as F
from torch import nn

SCRIPTS = pathlib.Path(__file__).resolve().parent.parent / 'tests/end_to_end/training_steps'


class Exchanged(NamedTuple):
    """A tensor under Sinter's name; its dimensions in this order are Sinter's."""
    name: str
    tensor: torch.Tensor
    order: Tuple[int, ...]
    trained: bool


CONVOLUTION, DEPTHWISE, DENSE, VECTOR = (2, 3, 1, 0), (2, 3, 0, 1), (1, 0), (0,)


# ---- Keras's layers ------------------------------------------------------------------------------

def pad_same(x, size, stride, value=0.0):
    padding = []
    for extent in (x.shape[3], x.shape[2]):
        total = max((-(-extent // stride) - 1) * stride + size - extent, 0)
        padding += [total // 2, total - total // 2]
    return F.pad(x, padding, value=value)


def max_pool_same(x, stride):
    return F.max_pool2d(pad_same(x, 3, stride, value=-torch.inf), 3, stride)


def flatten(x):
    return x.permute(0, 2, 3, 1).flatten(1)


class Conv(nn.Conv2d):
    """Conv2D with padding='same'."""

    def __init__(self, inputs, filters, size, stride=1, **options):
        super().__init__(inputs, filters, size, stride=stride, **options)

    def forward(self, x):
        return super().forward(pad_same(x, self.kernel_size[0], self.stride[0]))

    def exchanged(self, name):
        yield Exchanged(name + '/kernel', self.weight, CONVOLUTION, True)
        if self.bias is not None:
            yield Exchanged(name + '/bias', self.bias, VECTOR, True)


class Separable(nn.Module):
    def __init__(self, inputs, filters):
        super().__init__()
        self.depthwise = nn.Conv2d(inputs, inputs, 3, padding=1, groups=inputs, bias=False)
        self.pointwise = nn.Conv2d(inputs, filters, 1, bias=False)

    def forward(self, x):
        return self.pointwise(self.depthwise(x))

    def exchanged(self, name):
        yield Exchanged(name + '/depthwise_kernel', self.depthwise.weight, DEPTHWISE, True)
        yield Exchanged(name + '/pointwise_kernel', self.pointwise.weight, CONVOLUTION, True)


class Dense(nn.Linear):
    def exchanged(self, name):
        yield Exchanged(name + '/kernel', self.weight, DENSE, True)
        yield Exchanged(name + '/bias', self.bias, VECTOR, True)


class Norm(nn.BatchNorm2d):
    def __init__(self, channels, momentum=0.99):
        super().__init__(channels, eps=1e-3, momentum=1 - momentum)

    def forward(self, x):
        with torch.no_grad():
            self.running_mean.lerp_(x.mean((0, 2, 3)), self.momentum)
            self.running_var.lerp_(x.var((0, 2, 3), unbiased=False), self.momentum)
        return F.batch_norm(x, None, None, self.weight, self.bias, training=True, eps=self.eps)

    def exchanged(self, name):
        yield Exchanged(name + '/gamma', self.weight, VECTOR, True)
        yield Exchanged(name + '/beta', self.bias, VECTOR, True)
        yield Exchanged(name + '/moving_mean', self.running_mean, VECTOR, False)
        yield Exchanged(name + '/moving_variance', self.running_var, VECTOR, False)


# ---- the networks --------------------------------------------------------------------------------

class Net(nn.Module):
    loss_weights = [1.0]

    def exchanged(self):
        for name, module in self.named_modules():
            if hasattr(module, 'exchanged') and module is not self:
                yield from module.exchanged(name)

    def make_optimizer(self):
        return torch.optim.Adam(self.parameters(), lr=1e-3)

    def before_step(self, optimizer, step):
        """Keras divides by sqrt(v) + 1e-7, PyTorch by sqrt(v / (1 - beta_2^step)) + eps: these are
        proportional, and the steps the same, for this eps."""
        for group in optimizer.param_groups:
            group['eps'] = 1e-7 / (1 - group['betas'][1] ** step) ** 0.5


class FashionCnn(Net):
    def __init__(self, width):
        super().__init__()
        self.conv_1 = Conv(1, width, 3)
        self.conv_2 = Conv(width, 2 * width, 3)
        self.dense_1 = Dense(49 * 2 * width, 3 * width)
        self.dense_2 = Dense(3 * width, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv_1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv_2(x)), 2)
        return [self.dense_2(F.relu(self.dense_1(flatten(x))))]


class Inception(Net):
    loss_weights = [1.0, 0.3, 0.3]

    def __init__(self, width):
        super().__init__()
        self.stem = Conv(1, width, 3, stride=2)
        for name, inputs in [('a', width), ('b', 5 * width), ('c', 5 * width)]:
            self.add_branches(name, inputs, width)
        for name in ('auxiliary_1', 'auxiliary_2'):
            self.add_module(name + '_conv', Conv(5 * width, width, 1))
            self.add_module(name, Dense(9 * width, 10))
        self.main = Dense(5 * width, 10)

    def add_branches(self, name, inputs, width):
        self.add_module(name + '_1x1', Conv(inputs, width, 1))
        self.add_module(name + '_3x3_reduce', Conv(inputs, width, 1))
        self.add_module(name + '_3x3', Conv(width, 2 * width, 3))
        self.add_module(name + '_5x5_reduce', Conv(inputs, width, 1))
        self.add_module(name + '_5x5', Conv(width, width, 5))
        self.add_module(name + '_projection', Conv(inputs, width, 1))

    def conv(self, name, x):
        return F.relu(getattr(self, name)(x))

    def module(self, name, x):
        return torch.cat([
            self.conv(name + '_1x1', x),
            self.conv(name + '_3x3', self.conv(name + '_3x3_reduce', x)),
            self.conv(name + '_5x5', self.conv(name + '_5x5_reduce', x)),
            self.conv(name + '_projection', max_pool_same(x, 1))], dim=1)

    def head(self, name, x):
        x = flatten(self.conv(name + '_conv', F.avg_pool2d(x, 3, stride=2)))
        return getattr(self, name)(x)

    def forward(self, x):
        a = self.module('a', max_pool_same(self.conv('stem', x), 2))
        b = self.module('b', a)
        c = self.module('c', b)
        return [self.main(c.mean((2, 3))), self.head('auxiliary_1', a), self.head('auxiliary_2', b)]


class SeparableNet(Net):
    def __init__(self, width):
        super().__init__()
        self.stem, self.stem_norm = Conv(1, width, 3, stride=2, bias=False), Norm(width)
        self.shortcut = Conv(width, 2 * width, 1, stride=2, bias=False)
        self.shortcut_norm = Norm(2 * width)
        inputs = width
        for i, filters in enumerate([2 * width, 2 * width, 3 * width], start=1):
            self.add_module(f'separable_{i}', Separable(inputs, filters))
            self.add_module(f'separable_{i}_norm', Norm(filters))
            inputs = filters
        self.dense = Dense(3 * width, 10)

    def forward(self, x):
        x = F.relu(self.stem_norm(self.stem(x)))
        shortcut = self.shortcut_norm(self.shortcut(x))
        x = F.relu(self.separable_1_norm(self.separable_1(x)))
        x = max_pool_same(self.separable_2_norm(self.separable_2(x)), 2)
        x = F.relu(self.separable_3_norm(self.separable_3(F.relu(x + shortcut))))
        return [self.dense(x.mean((2, 3)))]


class SqueezeExcite(Net):
    def __init__(self, width):
        super().__init__()
        self.stem, self.stem_norm = Conv(1, width, 3, bias=False), Norm(width, momentum=0.9)
        for unit in ('unit_1', 'unit_2'):
            for conv in ('_conv_1', '_conv_2'):
                self.add_module(unit + conv, Conv(width, width, 3, bias=False))
                self.add_module(unit + conv + '_norm', Norm(width, momentum=0.9))
            self.add_module(unit + '_squeeze', Dense(width, width // 2))
            self.add_module(unit + '_excite', Dense(width // 2, width))
        self.dense = Dense(width, 10)

    def unit(self, name, x):
        part = lambda suffix: getattr(self, name + suffix)
        y = F.relu(part('_conv_1_norm')(part('_conv_1')(x)))
        y = part('_conv_2_norm')(part('_conv_2')(y))
        scale = torch.sigmoid(part('_excite')(F.relu(part('_squeeze')(y.mean((2, 3))))))
        return F.relu(x + y * scale[:, :, None, None])

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.stem_norm(self.stem(x))), 2)
        x = self.unit('unit_2', F.max_pool2d(self.unit('unit_1', x), 2))
        return [self.dense(x.mean((2, 3)))]


class TorchScript(Net):
    """The module of a script in PyTorch, and PyTorch's own optimizer; `Net` is the script's."""

    def __init__(self, script, width):
        super().__init__()
        kept = [node for node in ast.parse(script.read_text()).body
                if isinstance(node, ast.ClassDef)]
        names = {'torch': torch, 'nn': nn, 'F': F}
        exec(compile(ast.Module(kept, type_ignores=[]), str(script), 'exec'), names)
        self.net = names['Net'](width)

    def forward(self, x):
        return [self.net(x)]

    def before_step(self, optimizer, step):
        pass

    def exchanged(self):
        trained = {name for name, _ in self.net.named_parameters()}
        for name, tensor in self.net.state_dict(keep_vars=True).items():
            if tensor.dim() > 0:  # not the count of batches
                order = {4: CONVOLUTION, 2: DENSE, 1: VECTOR}[tensor.dim()]
                yield Exchanged(name, tensor, order, name in trained)


def make_net(name, width):
    if name == 'residual_unit':
        return TorchScript(SCRIPTS / 'residual_unit.py', width)
    return {'fashion_cnn': FashionCnn, 'inception': Inception, 'separable': SeparableNet,
            'squeeze_excite': SqueezeExcite}[name](width)


# The widths of the comparison with the usual sizes; the scripts' own are narrow.
WIDTHS = {'fashion_cnn': 32, 'residual_unit': 64, 'inception': 32, 'separable': 32,
          'squeeze_excite': 32}
