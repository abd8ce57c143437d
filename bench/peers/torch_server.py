"""Times a model in PyTorch, on request: torch_server.py MODEL BATCH THREADS

channels_last, traced and frozen, with OpenBLAS. For each line N on standard input runs the model N
times and prints the N times in milliseconds.
"""
import sys
import time

import torch

import models


def main():
    name, batch, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    torch.set_num_threads(threads)
    x = torch.randn(batch, *models.input_shape(name)).contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        model = models.make(name).to(memory_format=torch.channels_last)
        frozen = torch.jit.freeze(torch.jit.trace(model, x, check_trace=False))
        frozen(x)
        with open("/proc/self/maps") as maps:
            if "openblas" not in maps.read():
                sys.exit("PyTorch did not load OpenBLAS; install libopenblas0-pthread")
        for line in sys.stdin:
            times = []
            for _ in range(int(line)):
                begin = time.perf_counter()
                frozen(x)
                times.append((time.perf_counter() - begin) * 1e3)
            print(*times, flush=True)


main()
