import { describe, expect, it } from 'vitest';
import { decodeFrame, encodeFrame } from '../../engine/protocol.ts';
import type { BinaryFrame } from '../../engine/protocol.ts';

const image = Uint8Array.of(0xff, 0xd8, 1, 2, 3);

const frames: readonly BinaryFrame[] = [
  { type: 'preview', imageType: 'image/jpeg', image },
  { type: 'preview', imageType: 'image/png', image },
  { type: 'text', nodeId: '5.0.0.1', text: 'ñ 猫 1/3' },
  {
    type: 'previewWithMetadata',
    metadata: {
      node_id: '5.0.0.1',
      prompt_id: 'p',
      display_node_id: '5',
      parent_node_id: null,
      real_node_id: '5',
      image_type: 'image/jpeg',
    },
    image,
  },
];

describe('binary frames', () => {
  it.each(frames)('$type survives a round trip', (frame) => {
    expect(decodeFrame(encodeFrame(frame))).toEqual(frame);
  });

  it('uses big-endian words as the wire protocol states', () => {
    expect([...encodeFrame(frames[1])]).toEqual([0, 0, 0, 1, 0, 0, 0, 2, ...image]);
    expect([...encodeFrame({ type: 'text', nodeId: 'a', text: 'b' })]).toEqual([
      0, 0, 0, 3, 0, 0, 0, 1, 97, 98,
    ]);
  });

  it('reads a frame that is a view into a larger buffer', () => {
    const padded = new Uint8Array([9, 9, 9, ...encodeFrame(frames[3])]);
    expect(decodeFrame(padded.subarray(3))).toEqual(frames[3]);
  });

  it('ignores unknown kinds and short or lying frames', () => {
    expect(decodeFrame(Uint8Array.of(0, 0, 0, 9, 0, 0, 0, 0))).toBeUndefined();
    expect(decodeFrame(Uint8Array.of(0, 0, 0, 1))).toBeUndefined();
    expect(decodeFrame(Uint8Array.of(0, 0, 0, 4, 0, 0, 1, 0, 123))).toBeUndefined();
  });
});
