#!/usr/bin/python3
"""Inference beside ONNX Runtime: torchvision's models, exported to ONNX, in one interleaved run.

Needs Debian's python3-torchvision and ONNX Runtime for Node:

    npm install --ignore-scripts --prefix DIR onnxruntime-node
    NODE_PATH=DIR/node_modules bench/peers/onnx_runtime.py [--batch=1,32] [--threads=1,2] [MODEL...]

Sinter is called through the library that it makes of the same file. Rounds alternate between the
two, so that both see the same machine; ONNX Runtime's process, whose threads spin for a while after
a run, is stopped while it is not its turn. A turn is as many runs as fit into --seconds, one at
least. Prints medians in milliseconds and the ratio ONNX Runtime / Sinter: above 1, Sinter is faster.
"""

import argparse
import ctypes
import itertools
import math
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import numpy
import torch
import torchvision

MODELS = ["vgg16", "resnet18", "resnet34", "resnet50", "googlenet", "squeezenet1_1",
          "mobilenet_v2", "densenet121"]
PEERS = os.path.dirname(os.path.abspath(__file__))
SIZE = 224
ALIGNMENT = 64


def export(name, folder):
    torch.manual_seed(1)
    path = os.path.join(folder, name + ".onnx")
    if not os.path.exists(path):
        options = {"init_weights": True} if name in ("googlenet", "inception_v3") else {}
        model = getattr(torchvision.models, name)(**options).eval()
        torch.onnx.export(model, torch.randn(1, 3, SIZE, SIZE), path, input_names=["x"],
                          output_names=["y"], opset_version=13,
                          dynamic_axes={"x": {0: "N"}, "y": {0: "N"}})
    return path


def check(library, status):
    if status != 0:
        library.m_last_error.restype = ctypes.c_char_p
        sys.exit(f"sinter: {library.m_last_error().decode()}")


class Sinter:
    """The model as a library in this process."""

    def __init__(self, compiler, model, folder, batch, threads):
        stem = os.path.join(folder, os.path.splitext(os.path.basename(model))[0])
        library = os.path.join(folder, "lib" + os.path.basename(stem) + ".so")
        if not os.path.exists(library):
            subprocess.run([compiler, "compile", model, "-o", stem, "--emit=shared", "--name=m",
                            "--embed-weights", "--target=host"], check=True)
        self.library = ctypes.CDLL(library)
        self.library.m_context_bytes.restype = ctypes.c_size_t
        size = self.library.m_context_bytes(batch, 0)
        self.memory = numpy.empty(size + ALIGNMENT, numpy.uint8)
        address = (self.memory.ctypes.data + ALIGNMENT - 1) // ALIGNMENT * ALIGNMENT
        self.context = ctypes.c_void_p()
        check(self.library, self.library.m_create(
            ctypes.c_void_p(address), ctypes.c_size_t(size), batch, 0, threads,
            ctypes.c_uint64(0), ctypes.byref(self.context)))
        self.x = numpy.random.default_rng(1).standard_normal(
            (batch, 3, SIZE, SIZE)).astype(numpy.float32)
        self.y = numpy.zeros((batch, 1000), numpy.float32)
        self.batch = batch

    def times(self, count):
        """In milliseconds."""
        result = []
        for _ in range(count):
            begin = time.perf_counter()
            status = self.library.m_infer(self.context, ctypes.c_void_p(self.x.ctypes.data),
                                          self.batch, ctypes.c_void_p(self.y.ctypes.data))
            result.append((time.perf_counter() - begin) * 1e3)
            check(self.library, status)
        return result

    def close(self):
        self.library.m_destroy(self.context)


class OnnxRuntime:
    """The model in a process of Node's."""

    def __init__(self, model, batch, threads):
        self.process = subprocess.Popen(
            ["node", os.path.join(PEERS, "onnx_runtime_server.js"), model, f"{batch},3,{SIZE},{SIZE}",
             str(threads)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True)

    def times(self, count):
        """In milliseconds."""
        self.process.send_signal(signal.SIGCONT)
        print(count, file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        if not line:
            sys.exit("ONNX Runtime does not answer: is NODE_PATH set?")
        self.process.send_signal(signal.SIGSTOP)
        return [float(word) for word in line.split()]

    def close(self):
        self.process.send_signal(signal.SIGCONT)
        self.process.stdin.close()
        self.process.wait()


def measure(sides, rounds, seconds):
    """The median of each side. The first turn warms up and tells how many runs fit into one."""
    runs = [max(1, int(seconds * 1e3 / side.times(2)[1])) for side in sides]
    samples = [[] for _ in sides]
    for _ in range(rounds):
        for side, count, times in zip(sides, runs, samples):
            times.extend(side.times(count))
    return [statistics.median(times) for times in samples]


def compare(name, batch, threads, folder, options):
    """Prints the row of a model; returns its ratio."""
    model = export(name, folder)
    sides = [OnnxRuntime(model, batch, threads),
             Sinter(options.sinter, model, folder, batch, threads)]
    peer, ours = measure(sides, options.rounds, options.seconds)
    for side in sides:
        side.close()
    print(f"{name:16} {peer:14.2f} {ours:10.2f} {peer / ours:7.2f}", flush=True)
    return peer / ours


def main():
    numbers = lambda text: [int(word) for word in text.split(",")]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", default=MODELS)
    parser.add_argument("--batch", type=numbers, default=[1])
    parser.add_argument("--threads", type=numbers, default=[1, 2])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.5, help="of a side's turn in a round")
    parser.add_argument("--folder", help="keep exported models and libraries there")
    parser.add_argument("--sinter",
                        default=os.path.join(PEERS, "..", "..", "build", "bin", "sinter"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or temporary
        os.makedirs(folder, exist_ok=True)
        for batch, threads in itertools.product(options.batch, options.threads):
            print(f"batch {batch}, {threads} thread{'s' if threads > 1 else ''}\n"
                  f"{'model':16} {'ONNX Runtime':>14} {'Sinter':>10} {'ratio':>7}")
            ratios = [compare(name, batch, threads, folder, options) for name in options.models]
            mean = math.exp(statistics.fmean(math.log(ratio) for ratio in ratios))
            print(f"{'geometric mean':16} {'':14} {'':10} {mean:7.2f}\n")


if __name__ == "__main__":
    main()
