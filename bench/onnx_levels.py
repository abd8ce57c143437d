"""ONNX Runtime (for Node) beside Sinter: are two outputs of one model near enough?

ONNX Runtime computes the same output at each of its optimisation levels; how far those differ is its
own noise, taken for no less than the rounding of the largest output. Sinter may be ten times as far
from the level without optimisations.
"""

import argparse
import os
import subprocess
import sys
import tempfile

import numpy

BENCH = os.path.dirname(os.path.abspath(__file__))
LEVELS = ["disabled", "basic", "extended", "all"]
ALLOWED_NOISE = 10
LEAST_NOISE = 4  # units in the last place of the largest output: levels may agree in every bit


def runtime_outputs(model, x):
    """By level; writes files beside the model."""
    raw = model + ".f32"
    x.tofile(raw)
    subprocess.run(["node", os.path.join(BENCH, "onnx_levels.js"), model, raw,
                    ",".join(str(extent) for extent in x.shape), model, *LEVELS],
                   check=True, stderr=subprocess.DEVNULL)
    return [numpy.fromfile(f"{model}.{level}.f32", numpy.float32) for level in LEVELS]


def distance(a, b):
    return float(numpy.abs(a.astype(numpy.float64) - b).max())


def print_row(name, model, x, y):
    """Whether `y`, Sinter's output for `x`, is near enough."""
    levels = runtime_outputs(model, x)
    largest = float(numpy.abs(levels[0]).max())
    noise = max(distance(level, levels[0]) for level in levels[1:])
    noise = max(noise, LEAST_NOISE * float(numpy.spacing(numpy.float32(largest))))
    error = distance(y.reshape(-1), levels[0])
    good = error <= ALLOWED_NOISE * noise
    print(f"{name:20} {largest:10.4g} {noise:10.3g} {error:10.3g} {error / noise:8.2f}  "
          f"{'ok' if good else 'TOO FAR'}", flush=True)
    return good


def main(description, what, names, compare):
    """`compare(name, sinter, folder)` prints one row; exits with 1 when one is too far."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("names", nargs="*", default=names, metavar=what.upper())
    parser.add_argument("--sinter", default=os.path.join(BENCH, "..", "build", "bin", "sinter"))
    options = parser.parse_args()
    print(f"{what:20} {'largest':>10} {'noise':>10} {'error':>10} {'ratio':>8}")
    with tempfile.TemporaryDirectory() as folder:
        good = [compare(name, options.sinter, folder) for name in options.names]
    sys.exit(0 if all(good) else 1)
