// Runs an ONNX model in ONNX Runtime at each of the optimisation levels:
//   node onnx_levels.js MODEL INPUT.f32 DIMENSIONS(comma separated) OUTPUT_PREFIX LEVEL...
// reads and writes raw little-endian float32; writes OUTPUT_PREFIX.LEVEL.f32.
const fs = require('fs');
const runtime = require('onnxruntime-node');

async function main([model, input, dimensions, prefix, ...levels]) {
  const bytes = fs.readFileSync(input);
  const values = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  const tensor = new runtime.Tensor('float32', values, dimensions.split(',').map(Number));
  for (const level of levels) {
    const session = await runtime.InferenceSession.create(model, {graphOptimizationLevel: level});
    const results = await session.run({[session.inputNames[0]]: tensor});
    const output = results[session.outputNames[0]].data;
    fs.writeFileSync(`${prefix}.${level}.f32`,
                     Buffer.from(output.buffer, output.byteOffset, output.byteLength));
  }
}

main(process.argv.slice(2)).catch(error => {
  console.error(error.message);
  process.exit(1);
});
