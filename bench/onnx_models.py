#!/usr/bin/python3
"""Compares torchvision's models, exported to ONNX, with ONNX Runtime.

Needs Debian's python3-torchvision and ONNX Runtime for Node:

    npm install --ignore-scripts --prefix DIR onnxruntime-node
    NODE_PATH=DIR/node_modules bench/onnx_models.py [MODEL...]

Each model has random weights and batch-norm statistics of random pictures. ONNX Runtime computes
the same output at each of its optimisation levels; how far those differ is its own noise, taken for
no less than the rounding of the largest output, and Sinter may be ten times as far from the level
without optimisations.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time

import numpy
import torch
import torchvision

MODELS = [
    "alexnet", "vgg16", "googlenet", "resnet18", "resnet34", "resnet50", "squeezenet1_1",
    "mobilenet_v2", "densenet121", "shufflenet_v2_x1_0", "efficientnet_b0", "inception_v3",
    "mnasnet1_0"
]
LEVELS = ["disabled", "basic", "extended", "all"]
ALLOWED_NOISE = 10
LEAST_NOISE = 4  # units in the last place of the largest output: levels may agree in every bit
BENCH = os.path.dirname(os.path.abspath(__file__))


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


def runtime_outputs(path, x):
    raw = path + ".f32"
    x.tofile(raw)
    shape = ",".join(str(extent) for extent in x.shape)
    subprocess.run(["node", os.path.join(BENCH, "onnx_levels.js"), path, raw, shape, path],
                   check=True, stderr=subprocess.DEVNULL)
    return [numpy.fromfile(f"{path}.{level}.f32", numpy.float32) for level in LEVELS]


def sinter_output(sinter, path, x):
    given, result = path + ".x.npy", path + ".y.npy"
    numpy.save(given, x)
    subprocess.run([sinter, "run", path, "--cache=off", f"--input=@{given}", f"--output=@{result}"],
                   check=True, stdout=subprocess.DEVNULL)
    return numpy.load(result).reshape(-1)


def distance(a, b):
    return float(numpy.abs(a.astype(numpy.float64) - b).max())


def compare(name, sinter, folder):
    """Prints one row; true when Sinter is near enough."""
    path, x = export(name, folder)
    levels = runtime_outputs(path, x)
    largest = float(numpy.abs(levels[0]).max())
    noise = max(distance(level, levels[0]) for level in levels[1:])
    noise = max(noise, LEAST_NOISE * float(numpy.spacing(numpy.float32(largest))))
    start = time.monotonic()
    error = distance(sinter_output(sinter, path, x), levels[0])
    seconds = time.monotonic() - start
    good = error <= ALLOWED_NOISE * noise
    print(f"{name:20} {largest:10.4g} {noise:10.3g} {error:10.3g} {error / noise:8.2f} "
          f"{seconds:8.1f}  {'ok' if good else 'TOO FAR'}", flush=True)
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", default=MODELS)
    parser.add_argument("--sinter", default=os.path.join(BENCH, "..", "build", "bin", "sinter"))
    options = parser.parse_args()
    print(f"{'model':20} {'largest':>10} {'noise':>10} {'error':>10} {'ratio':>8} {'seconds':>8}")
    with tempfile.TemporaryDirectory() as folder:
        good = [compare(name, options.sinter, folder) for name in options.models]
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
