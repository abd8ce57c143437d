// Times an ONNX model in ONNX Runtime, on request:
//   node onnx_runtime_server.js MODEL DIMENSIONS(comma separated) THREADS
// For each line N on standard input runs the model N times and prints the N times in milliseconds.
const readline = require('readline');
const runtime = require('onnxruntime-node');

async function main([model, dimensions, threads]) {
  const shape = dimensions.split(',').map(Number);
  const values = Float32Array.from({length: shape.reduce((a, b) => a * b)},
                                   (_, i) => ((i * 2654435761) % 1000) / 500 - 1);
  const session = await runtime.InferenceSession.create(
      model, {intraOpNumThreads: Number(threads), interOpNumThreads: 1});
  const inputs = {[session.inputNames[0]]: new runtime.Tensor('float32', values, shape)};
  for await (const line of readline.createInterface({input: process.stdin})) {
    const times = [];
    for (let i = 0; i < Number(line); ++i) {
      const begin = process.hrtime.bigint();
      await session.run(inputs);
      times.push(Number(process.hrtime.bigint() - begin) / 1e6);
    }
    console.log(times.join(' '));
  }
}

main(process.argv.slice(2)).catch(error => {
  console.error(error.message);
  process.exit(1);
});
