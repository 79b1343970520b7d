/**
 * SCUNet: a U-Net for removing noise, half of whose channels go through Swin blocks.
 *
 * Paper: Zhang et al. 2022, "Practical Blind Image Denoising via Swin-Conv-UNet". Reference:
 * cszn/SCUNet. It keeps the picture's size.
 */
import type { Weights } from '../../tensor/cursor.ts';
import { conv2d, convTranspose, layerNorm, linear } from '../../tensor/layers.ts';
import { add, attention, chunk, concat, gelu, permute, relu, reshape } from '../../tensor/nn.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { UpscaleKind } from './kind.ts';
import { channelsFirst, channelsLast, numbersUnder } from './pixels.ts';
import { halfShiftMask, pictureOf, relativeBias, shifted, square, windowsOf } from './windows.ts';

const window = square(8);
const channelsPerHead = 32;

export const scunet: UpscaleKind<object> = {
  name: 'SCUNet',
  detect(w) {
    if (!w.has('m_head.0.weight') || !w.has('m_tail.0.weight')) return undefined;
    const [, channels] = w.shape('m_head.0.weight');
    const facts = { inputChannels: channels, outputChannels: channels };
    return { scale: 1, ...facts, minimum: 40, multipleOf: 64, config: {} };
  },
  build(w, picture) {
    const first = conv2d(w.at('m_head.0'), picture, { pad: 1 });
    let h = first;
    const skips: Tensor[] = [];
    for (const name of ['m_down1', 'm_down2', 'm_down3']) {
      skips.unshift(h);
      h = level(w.at(name), h);
    }
    const deepest = h;
    h = add(level(w.at('m_body'), h), deepest);
    for (const [i, name] of ['m_up3', 'm_up2', 'm_up1'].entries()) {
      h = add(level(w.at(name), h), skips[i]);
    }
    return conv2d(w.at('m_tail.0'), h, { pad: 1 });
  },
};

/** Blocks, of which those with odd place are shifted, and a step to another resolution. */
function level(w: Weights, x: Tensor): Tensor {
  let h = x;
  let blocks = 0;
  for (const n of numbersUnder(w)) {
    const part = w.at(String(n));
    if (part.has('conv1_1')) h = block(part, h, blocks++ % 2 === 1);
    else if (n === 0)
      h = convTranspose(part, h, { stride: 2 }); // only the way up begins with it
    else h = conv2d(part, h, { stride: 2 });
  }
  return h;
}

/** One half of the channels through convolutions, the other through a Swin block. */
function block(w: Weights, x: Tensor, isShifted: boolean): Tensor {
  const [left, right] = chunk(conv2d(w.at('conv1_1'), x), 2, 1);
  const inner = relu(conv2d(w.at('conv_block.0'), left, { pad: 1 }));
  const convolved = add(conv2d(w.at('conv_block.2'), inner, { pad: 1 }), left);
  const attended = channelsFirst(swinPart(w.at('trans_block'), channelsLast(right), isShifted));
  return add(x, conv2d(w.at('conv1_2'), concat([convolved, attended], 1)));
}

function swinPart(w: Weights, x: Tensor, isShifted: boolean): Tensor {
  const h = add(x, windowed(w.at('msa'), layerNorm(w.at('ln1'), x), isShifted));
  const n = layerNorm(w.at('ln2'), h);
  return add(h, linear(w.at('mlp.2'), gelu(linear(w.at('mlp.0'), n))));
}

function windowed(w: Weights, x: Tensor, isShifted: boolean): Tensor {
  const [, height, width, channels] = x.shape;
  const heads = (channels as number) / channelsPerHead; // weights have fixed sizes
  const table = reshape(w.param('relative_position_params'), [heads, -1]);
  const bias = relativeBias(permute(table, [1, 0]), window);
  const mask = isShifted ? add(bias, halfShiftMask([height, width], window.height)) : bias;
  return shifted(x, square(isShifted ? window.height / 2 : 0), (moved) => {
    const [q, k, v] = chunk(linear(w.at('embedding_layer'), windowsOf(moved, window)), 3, -1);
    const h = linear(w.at('linear'), attention(q, k, v, { heads, mask }));
    return pictureOf(h, window, [height, width]);
  });
}
