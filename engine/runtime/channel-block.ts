/**
 * How many channels ONNX Runtime's NCHWc convolutions take together on this processor (8 with AVX2,
 * 16 with AVX-512). It is not reported anywhere, so one tiny reordering is run and looked at.
 */
import { encodeModel } from '../onnx/encode.ts';
import type { OnnxModel } from '../onnx/model.ts';
import { createSession, feed } from './ort.ts';

let probed: Promise<number | undefined> | undefined;

/** Channels per block; undefined where these convolutions are not available. */
export function channelBlock(): Promise<number | undefined> {
  return (probed ??= probe().catch(() => undefined));
}

/** Four channels come out padded to one block. */
const padding: OnnxModel = {
  name: 'channel-block',
  nodes: [
    {
      op: 'ReorderInput',
      domain: 'com.microsoft.nchwc',
      name: 'reorder',
      inputs: ['x'],
      outputs: ['y'],
      attributes: {},
    },
  ],
  initializers: [],
  inputs: [{ name: 'x', dtype: 'f32', shape: [1, 4, 1, 1] }],
  outputs: [{ name: 'y', dtype: 'f32', shape: [1, 'channels', 1, 1] }],
};

async function probe(): Promise<number | undefined> {
  const model = encodeModel(padding, () => new Uint8Array(0));
  const session = await createSession(model, { optimization: 'disabled', threads: 1 });
  try {
    const x = await feed('float32', new Float32Array(4), [1, 4, 1, 1]);
    const { y } = await session.run({ x });
    return y.dims[1] >= 8 ? y.dims[1] : undefined;
  } finally {
    await session.release();
  }
}
