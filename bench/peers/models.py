"""The models of the comparison: PyTorch modules, and their files of ONNX."""
import os
import sys

import torch
import torchvision

PEERS = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(PEERS))
import torch_nets  # noqa: E402

SMALL = {"fashion_cnn": (torch_nets.fashion_cnn, (1, 28, 28)),
         "vgg7": (torch_nets.vgg7, (1, 28, 28)),
         "unet": (torch_nets.UNet, (1, 128, 128))}
MODELS = ["fashion_cnn", "vgg7", "vgg16", "resnet18", "resnet34", "resnet50", "googlenet",
          "squeezenet1_1", "mobilenet_v2", "densenet121", "unet"]


def input_shape(name):
    return SMALL[name][1] if name in SMALL else (3, 224, 224)


def make(name):
    """Ready for inference; the same weights every time."""
    torch.manual_seed(1)
    if name in SMALL:
        return SMALL[name][0]().eval()
    options = {"init_weights": True} if name in ("googlenet", "inception_v3") else {}
    return getattr(torchvision.models, name)(**options).eval()


def export(name, folder):
    """The path of its file of ONNX, made unless it is there."""
    path = os.path.join(folder, name + ".onnx")
    if not os.path.exists(path):
        torch.onnx.export(make(name), torch.randn(1, *input_shape(name)), path, input_names=["x"],
                          output_names=["y"], opset_version=13,
                          dynamic_axes={"x": {0: "N"}, "y": {0: "N"}})
    return path
