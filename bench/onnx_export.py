#!/usr/bin/python3
"""Compares networks that `sinter export` wrote as ONNX with the programs made of them.

Needs NumPy (Debian's python3-torch brings it) and ONNX Runtime for Node:

    npm install --ignore-scripts --prefix DIR onnxruntime-node
    NODE_PATH=DIR/node_modules bench/onnx_export.py [SCRIPT...]

Weights and pictures are random; onnx_levels.py says how near is near enough.
"""

import json
import os
import subprocess

import numpy

from onnx_levels import BENCH, main, print_row
from safetensors_file import write_safetensors

EXAMPLES = os.path.join(BENCH, "..", "examples")
NETWORKS = ["fashion_cnn.py", "zoo/resnet18.py", "zoo/mobilenet_v2.py", "zoo/densenet121.py",
            "zoo/unet.py"]


def random_weights(parameters, random):
    """He's normal distribution for kernels; what keeps the signal for everything else."""
    weights = {}
    for parameter in parameters:
        name, shape = parameter["name"], parameter["shape"]
        kind = name.rsplit("/", 1)[-1]
        if kind in ("gamma", "moving_variance"):
            values = random.uniform(0.5, 1.5, shape)
        elif len(shape) < 2:
            values = random.uniform(-0.1, 0.1, shape)
        else:
            values = random.standard_normal(shape) * numpy.sqrt(2 / numpy.prod(shape[:-1]))
        weights[name] = values.astype(numpy.float32)
    return weights


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout


def compare(script, sinter, folder):
    path = os.path.join(EXAMPLES, script)
    stem = os.path.join(folder, os.path.basename(script))
    program, weights, model = stem + ".program", stem + ".safetensors", stem + ".onnx"
    run(sinter, "compile", path, "-o", program, "--no-train", "--target=host")
    info = json.loads(run(program, "info", "--json"))
    random = numpy.random.default_rng(1)
    write_safetensors(weights, random_weights(info["parameters"]["tensors"], random))
    run(sinter, "export", weights, "-o", model, "--model", path)
    x = random.uniform(0, 1, [1] + info["inputs"][0]["shape"][1:]).astype(numpy.float32)
    numpy.save(stem + ".x.npy", x)
    run(program, "run", "--weights=" + weights, f"--input=@{stem}.x.npy", f"--output=@{stem}.y.npy")
    return print_row(script, model, x, numpy.load(stem + ".y.npy"))


if __name__ == "__main__":
    main(__doc__, "script", NETWORKS, compare)
