#!/usr/bin/python3
"""Inference beside ONNX Runtime and PyTorch: the same models in one interleaved run.

Needs Debian's python3-torchvision and libopenblas0-pthread, and ONNX Runtime for Node:

    npm install --ignore-scripts --prefix DIR onnxruntime-node
    NODE_PATH=DIR/node_modules bench/peers/inference.py [--batch=1,32] [--threads=1,2] [MODEL...]

Sinter is called through the library that it makes of the file of ONNX that ONNX Runtime reads, too.
Rounds alternate between the sides, so that all see the same machine. A turn is as many runs as fit
into --seconds, one at least. Prints medians in milliseconds and the ratios peer / Sinter: above 1,
Sinter is faster.
"""
import argparse
import itertools
import json
import math
import os
import statistics
import sys
import tempfile

import models
import sides

PEERS = ["onnxruntime", "pytorch"]


def numbers(text):
    return [int(word) for word in text.split(",")]


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", default=models.MODELS)
    parser.add_argument("--peers", type=lambda text: text.split(","), default=PEERS)
    parser.add_argument("--batch", type=numbers, default=[1, 32])
    parser.add_argument("--threads", type=numbers, default=[1, 2])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.5, help="of a side's turn in a round")
    parser.add_argument("--folder", help="keep exported models and libraries there")
    parser.add_argument("--json", metavar="FILE", help="write the rows there, too")
    parser.add_argument("--sinter",
                        default=os.path.join(sides.PEERS, "..", "..", "build", "bin", "sinter"))
    options = parser.parse_args()
    if not set(options.peers) <= set(PEERS):
        parser.error(f"--peers takes {','.join(PEERS)}")
    return options


def open_side(side, name, model, batch, threads, folder, options):
    if side == "onnxruntime":
        return sides.onnx_runtime(model, models.input_shape(name), batch, threads)
    if side == "pytorch":
        return sides.pytorch(name, batch, threads)
    return sides.Sinter(options.sinter, model, folder, batch, threads)


def measure(opened, rounds, seconds):
    """The times of each side. The first turn warms up and tells how many runs fit into one."""
    runs = [max(1, int(seconds * 1e3 / side.times(2)[1])) for side in opened]
    samples = [[] for _ in opened]
    for _ in range(rounds):
        for side, count, times in zip(opened, runs, samples):
            times.extend(side.times(count))
    return samples


def compare(name, batch, threads, folder, options):
    model = models.export(name, folder)
    names = options.peers + ["sinter"]
    opened = [open_side(side, name, model, batch, threads, folder, options) for side in names]
    samples = dict(zip(names, measure(opened, options.rounds, options.seconds)))
    for side in opened:
        side.close()
    row = {"model": name, "batch": batch, "threads": threads}
    for side, times in samples.items():
        row[side] = {"median_ms": statistics.median(times), "min_ms": min(times)}
    for peer in options.peers:
        row[peer]["ratio"] = row[peer]["median_ms"] / row["sinter"]["median_ms"]
    return row


def print_titles(batch, threads, peers):
    print(f"batch {batch}, {threads} thread{'s' if threads > 1 else ''}\n{'model':16}"
          + "".join(f" {peer:>12} {'ratio':>6}" for peer in peers) + f" {'sinter':>10}")


def print_row(row, peers):
    print(f"{row['model']:16}"
          + "".join(f" {row[peer]['median_ms']:12.3f} {row[peer]['ratio']:6.2f}" for peer in peers)
          + f" {row['sinter']['median_ms']:10.3f}", flush=True)


def print_means(rows, peers):
    means = [math.exp(statistics.fmean(math.log(row[peer]["ratio"]) for row in rows))
             for peer in peers]
    print(f"{'geometric mean':16}" + "".join(f" {'':12} {mean:6.2f}" for mean in means) + "\n")


def main():
    options = parse_arguments()
    all_rows = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or temporary
        os.makedirs(folder, exist_ok=True)
        for batch, threads in itertools.product(options.batch, options.threads):
            print_titles(batch, threads, options.peers)
            rows = []
            for name in options.models:
                rows.append(compare(name, batch, threads, folder, options))
                print_row(rows[-1], options.peers)
            print_means(rows, options.peers)
            all_rows += rows
    if options.json:
        with open(options.json, "w") as file:
            json.dump(all_rows, file, indent=1)


if __name__ == "__main__":
    sys.exit(main())
