"""What is compared: Sinter in this process, its peers in processes of their own.

A side has times(count), the milliseconds of so many runs, and close().
"""
import ctypes
import json
import os
import signal
import subprocess
import sys
from time import perf_counter

import numpy

PEERS = os.path.dirname(os.path.abspath(__file__))
OPENBLAS = "/usr/lib/x86_64-linux-gnu/openblas-pthread"
ALIGNMENT = 1 << 21


def compile_library(compiler, model, folder):
    """The path of the model's library, made unless one of this compiler is there."""
    stem = os.path.join(folder, os.path.splitext(os.path.basename(model))[0])
    library = os.path.join(folder, "lib" + os.path.basename(stem) + ".so")
    if not os.path.exists(library) or os.path.getmtime(library) < os.path.getmtime(compiler):
        subprocess.run([compiler, "compile", model, "-o", stem, "--emit=shared", "--name=m",
                        "--embed-weights", "--target=host"], check=True)
    return library


class Sinter:
    """The model as a library in this process."""

    def __init__(self, compiler, model, folder, batch, threads):
        self.library = ctypes.CDLL(compile_library(compiler, model, folder))
        self.library.m_context_bytes.restype = ctypes.c_size_t
        self.library.m_describe.restype = ctypes.c_char_p
        self.library.m_last_error.restype = ctypes.c_char_p
        size = self.library.m_context_bytes(batch, 0)
        self.memory = numpy.empty(size + ALIGNMENT, numpy.uint8)
        address = (self.memory.ctypes.data + ALIGNMENT - 1) // ALIGNMENT * ALIGNMENT
        self.context = ctypes.c_void_p()
        self.check(self.library.m_create(
            ctypes.c_void_p(address), ctypes.c_size_t(size), batch, 0, threads,
            ctypes.c_uint64(0), ctypes.byref(self.context)))
        described = json.loads(self.library.m_describe())
        shape = lambda port: [batch, *port["shape"][1:]]
        self.x = numpy.random.default_rng(1).standard_normal(
            shape(described["inputs"][0])).astype(numpy.float32)
        self.y = numpy.zeros(shape(described["outputs"][0]), numpy.float32)
        self.batch = batch

    def check(self, status):
        if status != 0:
            sys.exit(f"sinter: {self.library.m_last_error().decode()}")

    def infer(self):
        return self.library.m_infer(self.context, ctypes.c_void_p(self.x.ctypes.data), self.batch,
                                    ctypes.c_void_p(self.y.ctypes.data))

    def times(self, count):
        result = []
        for _ in range(count):
            begin = perf_counter()
            status = self.infer()
            result.append((perf_counter() - begin) * 1e3)
            self.check(status)
        return result

    def close(self):
        self.library.m_destroy(self.context)


class Server:
    """A process that answers a line N with the times of N runs. It is stopped while it is not its
    turn: threads of some runtimes spin for a while after a run."""

    def __init__(self, command, **environment):
        self.command = command
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, env={**os.environ, **environment})

    def times(self, count):
        self.process.send_signal(signal.SIGCONT)
        try:
            print(count, file=self.process.stdin, flush=True)
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            sys.exit(f"{' '.join(self.command)}: {self.process.stderr.read().strip()}")
        self.process.send_signal(signal.SIGSTOP)
        return [float(word) for word in line.split()]

    def close(self):
        self.process.send_signal(signal.SIGCONT)
        self.process.stdin.close()
        self.process.wait()


def onnx_runtime(model, shape, batch, threads):
    dimensions = ",".join(map(str, [batch, *shape]))
    return Server(["node", os.path.join(PEERS, "onnx_runtime_server.js"), model, dimensions,
                   str(threads)])


def pytorch(name, batch, threads):
    return Server(["/usr/bin/python3", os.path.join(PEERS, "torch_server.py"), name, str(batch),
                   str(threads)], LD_LIBRARY_PATH=OPENBLAS, OMP_NUM_THREADS=str(threads),
                  OPENBLAS_NUM_THREADS=str(threads))
