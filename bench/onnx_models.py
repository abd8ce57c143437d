#!/usr/bin/python3
"""Compares torchvision's models, exported to ONNX, with ONNX Runtime.

Needs Debian's python3-torchvision and ONNX Runtime for Node:

    npm install --ignore-scripts --prefix DIR onnxruntime-node
    NODE_PATH=DIR/node_modules bench/onnx_models.py [MODEL...]

Each model has random weights and batch-norm statistics of random pictures; onnx_levels.py says how
near is near enough.
"""

import os
import subprocess

import numpy
import torch
import torchvision

from onnx_levels import main, print_row

MODELS = [
    "alexnet", "vgg16", "googlenet", "resnet18", "resnet34", "resnet50", "squeezenet1_1",
    "mobilenet_v2", "densenet121", "shufflenet_v2_x1_0", "efficientnet_b0", "inception_v3",
    "mnasnet1_0"
]


def picture_size(name):
    return 299 if name == "inception_v3" else 224


def make_model(name):
    """A model whose batch-norm statistics are the means over a batch of random pictures."""
    torch.manual_seed(1)
    options = {"init_weights": True} if name in ("googlenet", "inception_v3") else {}
    model = getattr(torchvision.models, name)(**options)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None
    model.train()
    size = picture_size(name)
    with torch.no_grad():
        model(torch.randn(4, 3, size, size))
    return model.eval()


def export(name, folder):
    path = os.path.join(folder, name + ".onnx")
    size = picture_size(name)
    x = torch.randn(1, 3, size, size)
    torch.onnx.export(make_model(name), x, path, input_names=["input"], output_names=["output"],
                      opset_version=13, dynamic_axes={"input": {0: "N"}, "output": {0: "N"}})
    return path, x.numpy()


def sinter_output(sinter, path, x):
    given, result = path + ".x.npy", path + ".y.npy"
    numpy.save(given, x)
    subprocess.run([sinter, "run", path, "--cache=off", f"--input=@{given}", f"--output=@{result}"],
                   check=True, stdout=subprocess.DEVNULL)
    return numpy.load(result)


def compare(name, sinter, folder):
    path, x = export(name, folder)
    return print_row(name, path, x, sinter_output(sinter, path, x))


if __name__ == "__main__":
    main(__doc__, "model", MODELS, compare)
