"""The example networks as PyTorch modules, how they train, and the U-Net of bench/peers."""
from typing import Callable, NamedTuple, Tuple

import torch
from torch import nn


def fashion_cnn():
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(3136, 100), nn.ReLU(), nn.Dropout(0.4), nn.Linear(100, 10))


def vgg7():
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(),
        nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.5),
        nn.Conv2d(64, 128, 3, padding=1), nn.ReLU(),
        nn.Conv2d(128, 256, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.5),
        nn.Flatten(), nn.Linear(9216, 512), nn.ReLU(), nn.Dropout(0.5),
        nn.Linear(512, 256), nn.ReLU(), nn.Dropout(0.5), nn.Linear(256, 10))


class UNet(nn.Module):
    """examples/zoo/unet.py of half its width: four levels down and up again, joined by level."""

    def __init__(self, width=32):
        super().__init__()
        widths = [width * 2 ** level for level in range(5)]
        self.down = nn.ModuleList(self.double(a, b) for a, b in zip([1] + widths, widths))
        self.up = nn.ModuleList(nn.ConvTranspose2d(2 * b, b, 2, stride=2) for b in widths[:4])
        self.join = nn.ModuleList(self.double(2 * b, b) for b in widths[:4])
        self.pool = nn.MaxPool2d(2)
        self.last = nn.Conv2d(width, 1, 1)

    @staticmethod
    def double(inputs, filters):
        return nn.Sequential(nn.Conv2d(inputs, filters, 3, padding=1), nn.ReLU(),
                             nn.Conv2d(filters, filters, 3, padding=1), nn.ReLU())

    def forward(self, x):
        skips = []
        for level in range(4):
            skips.append(self.down[level](x))
            x = self.pool(skips[-1])
        x = self.down[4](x)
        for level in reversed(range(4)):
            x = torch.relu(self.up[level](x))
            x = self.join[level](torch.cat([skips[level], x], dim=1))
        return torch.sigmoid(self.last(x))


def resnet18_64():
    import torchvision  # the others do without it
    return torchvision.models.resnet18()


def adam(model):
    return torch.optim.Adam(model.parameters(), eps=1e-7)


def momentum(model):
    return torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)


class Trained(NamedTuple):
    make: Callable
    shape: Tuple[int, int, int]
    classes: int
    optimizer: Callable


TRAINED = {'fashion_cnn': Trained(fashion_cnn, (1, 28, 28), 10, adam),
           'vgg7': Trained(vgg7, (1, 28, 28), 10, adam),
           'resnet18_64': Trained(resnet18_64, (3, 64, 64), 1000, momentum)}
