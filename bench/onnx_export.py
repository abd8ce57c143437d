#!/usr/bin/python3
"""Compares networks that `sinter export` wrote as ONNX with the programs made of them.

Needs NumPy (Debian's python3-torch brings it) and ONNX Runtime for Node:

    npm install --ignore-scripts --prefix DIR onnxruntime-node
    NODE_PATH=DIR/node_modules bench/onnx_export.py [SCRIPT...]

Weights and pictures are random. ONNX Runtime computes the same output at each of its optimisation
levels; how far those differ is its own noise, and Sinter may be ten times as far from the level
without optimisations.
"""

import argparse
import json
import os
import struct
import subprocess
import sys
import tempfile

import numpy

BENCH = os.path.dirname(os.path.abspath(__file__))
EXAMPLES = os.path.join(BENCH, "..", "examples")
NETWORKS = ["fashion_cnn.py", "zoo/resnet18.py", "zoo/mobilenet_v2.py", "zoo/densenet121.py",
            "zoo/unet.py"]
LEVELS = ["disabled", "basic", "extended", "all"]
ALLOWED_NOISE = 10


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


def write_safetensors(path, weights):
    header, data = {}, b""
    for name, values in weights.items():
        header[name] = {"dtype": "F32", "shape": list(values.shape),
                        "data_offsets": [len(data), len(data) + values.nbytes]}
        data += values.tobytes()
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout


def distance(a, b):
    return float(numpy.abs(a.astype(numpy.float64) - b).max())


def compare(sinter, script, folder):
    """Prints one row; true when Sinter is near enough."""
    path = os.path.join(EXAMPLES, script)
    stem = os.path.join(folder, os.path.basename(script))
    program, weights, model = stem + ".program", stem + ".safetensors", stem + ".onnx"
    run(sinter, "compile", path, "-o", program, "--no-train", "--target=host")
    info = json.loads(run(program, "info", "--json"))
    random = numpy.random.default_rng(1)
    write_safetensors(weights, random_weights(info["parameters"]["tensors"], random))
    run(sinter, "export", weights, "-o", model, "--model", path)
    shape = [1] + info["inputs"][0]["shape"][1:]
    x = random.uniform(0, 1, shape).astype(numpy.float32)
    numpy.save(stem + ".x.npy", x)
    x.tofile(stem + ".x.f32")
    run(program, "run", "--weights=" + weights, f"--input=@{stem}.x.npy", f"--output=@{stem}.y.npy")
    y = numpy.load(stem + ".y.npy").reshape(-1)
    run("node", os.path.join(BENCH, "onnx_levels.js"), model, stem + ".x.f32",
        ",".join(map(str, shape)), stem)
    outputs = [numpy.fromfile(f"{stem}.{level}.f32", numpy.float32) for level in LEVELS]
    noise = max(distance(output, outputs[0]) for output in outputs[1:])
    error = distance(y, outputs[0])
    good = error <= ALLOWED_NOISE * max(noise, float(numpy.spacing(numpy.abs(y).max())))
    print(f"{script:20} {numpy.abs(y).max():10.4g} {noise:10.3g} {error:10.3g}  "
          f"{'ok' if good else 'TOO FAR'}", flush=True)
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scripts", nargs="*", default=NETWORKS)
    parser.add_argument("--sinter", default=os.path.join(BENCH, "..", "build", "bin", "sinter"))
    options = parser.parse_args()
    print(f"{'network':20} {'largest':>10} {'noise':>10} {'error':>10}")
    with tempfile.TemporaryDirectory() as folder:
        good = [compare(options.sinter, script, folder) for script in options.scripts]
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
