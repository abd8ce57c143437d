"""Files of weights as safetensors, float32 arrays by name."""
import json

import numpy


def write_safetensors(path, arrays):
    header, offset = {}, 0
    for name, array in arrays.items():
        header[name] = {'dtype': 'F32', 'shape': list(array.shape),
                        'data_offsets': [offset, offset + array.nbytes]}
        offset += array.nbytes
    text = json.dumps(header).encode()
    text += b' ' * (-len(text) % 8)
    with open(path, 'wb') as file:
        file.write(len(text).to_bytes(8, 'little') + text)
        for array in arrays.values():
            file.write(array.tobytes())


def read_safetensors(path):
    with open(path, 'rb') as file:
        data = file.read()
    start = 8 + int.from_bytes(data[:8], 'little')
    arrays = {}
    for name, entry in json.loads(data[8:start]).items():
        if name != '__metadata__':
            begin, end = entry['data_offsets']
            values = numpy.frombuffer(data[start + begin:start + end], numpy.float32)
            arrays[name] = values.reshape(entry['shape'])
    return arrays
