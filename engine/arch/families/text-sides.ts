/** The text sides of families with several text encoders: how their outputs become one conditioning. */
import { concat, sliceAxis } from '../../array/batch.ts';
import { type NDArray, zeros } from '../../array/nd.ts';
import type { ClipSpec, EncodedText, TextEncoderSpec, TextSetup } from '../family.ts';
import {
  byt5small,
  chineseRoberta,
  llama,
  llamaOfHidream,
  mt5xl,
  qwen25vlOfHunyuan,
  t5xxlOfFlux,
  t5xxlOfHidream,
  t5xxlOfSd3,
} from './sequence-encoders.ts';
import { clipG, clipL, clipLOfXl, onChannels, told } from './text-encoders.ts';

/** Flux: T5's states, pooled from CLIP-L. */
export const fluxText: TextSetup = {
  encoders: [clipL, t5xxlOfFlux],
  join: ({ clip_l, t5xxl }) => ({ cross: t5xxl!.hidden, pooled: clip_l!.pooled }),
};

/** HunyuanVideo: Llama's states, pooled from CLIP-L. */
export const hunyuanVideoText: TextSetup = {
  encoders: [clipL, llama],
  join: ({ clip_l, llama }) => ({
    cross: llama!.hidden,
    pooled: clip_l!.pooled,
    ...told({ attention_mask: llama!.mask }),
  }),
};

/** HunyuanImage: Qwen's states, and those of the texts in quotes. */
export const hunyuanImageText: TextSetup = {
  encoders: [qwen25vlOfHunyuan, byt5small],
  join: ({ qwen25_7b, byt5_small }) => ({
    cross: qwen25_7b!.hidden,
    ...told({ attention_mask: qwen25_7b!.mask, conditioning_byt5small: byt5_small?.hidden }),
  }),
};

/** HunyuanDiT: BERT's states, and mT5's beside them. */
export const hunyuanDitText: TextSetup = {
  encoders: [chineseRoberta, mt5xl],
  join: ({ hydit_clip, mt5xl }) => ({
    cross: hydit_clip!.hidden,
    ...told({
      attention_mask: hydit_clip!.mask,
      conditioning_mt5xl: mt5xl!.hidden,
      attention_mask_mt5xl: mt5xl!.mask,
    }),
  }),
};

/** Widths that stand for encoders which are not there. */
const CLIP_L_WIDTH = 768;
const CLIP_G_WIDTH = 1280;
const T5_WIDTH = 4096;

const clipLOfHidream: ClipSpec = { ...clipL, projected: true };

/** Stable Diffusion 3 with these of its encoders: the CLIPs' states, then T5's. */
export const sd3Text = (names: readonly string[]): TextSetup => ({
  encoders: chosen([clipLOfXl, clipG, t5xxlOfSd3], names),
  of: sd3Text,
  join({ clip_l, clip_g, t5xxl }) {
    const width = t5xxl?.hidden.shape[2] ?? T5_WIDTH;
    const clips = clipStates(clip_l, clip_g);
    const parts = [clips && padded(clips, 0, width), t5xxl?.hidden].filter((part) => part);
    const cross = parts.length > 0 ? concat(parts as NDArray[], 1) : zeros([1, 77, width]);
    return { cross, pooled: bothPooled(clip_l, clip_g) };
  },
});

/** Hidden states of both CLIPs on channels; CLIP-G's stand where they would beside CLIP-L's. */
function clipStates(l?: EncodedText, g?: EncodedText): NDArray | undefined {
  if (l) return onChannels(g ? [l, g] : [l]);
  return g && padded(g.hidden, CLIP_L_WIDTH, CLIP_L_WIDTH + g.hidden.shape[2]);
}

/** HiDream with these of its encoders: T5's states, pooled from the CLIPs, and all of Llama's. */
export const hidreamText = (names: readonly string[]): TextSetup => ({
  encoders: chosen([clipLOfHidream, clipG, t5xxlOfHidream, llamaOfHidream], names),
  of: hidreamText,
  join({ clip_l, clip_g, t5xxl, llama }) {
    // the first of Llama's states is that of the bare tokens
    const states = llama && sliceAxis(llama.hidden, 1, 1, llama.hidden.shape[1]);
    return {
      cross: t5xxl?.hidden ?? zeros([1, 128, T5_WIDTH]),
      pooled: bothPooled(clip_l, clip_g),
      extra: { conditioning_llama3: states ?? zeros([1, 32, 1, T5_WIDTH]) },
    };
  },
});

const chosen = (
  specs: readonly TextEncoderSpec[],
  names: readonly string[],
): readonly TextEncoderSpec[] => specs.filter(({ name }) => names.includes(name));

/** Pooled outputs side by side; zeros for an encoder that is not there. */
const bothPooled = (l?: EncodedText, g?: EncodedText): NDArray =>
  concat([l?.pooled ?? zeros([1, CLIP_L_WIDTH]), g?.pooled ?? zeros([1, CLIP_G_WIDTH])], 1);

/** x [1, t, c] with zeros in front of its channels and behind them, up to (or cut to) `width`. */
function padded(x: NDArray, front: number, width: number): NDArray {
  const [, tokens, channels] = x.shape;
  const kept = Math.min(channels, width - front);
  const data = new Float32Array(tokens * width);
  for (let t = 0; t < tokens; t++) {
    data.set(x.data.subarray(t * channels, t * channels + kept), t * width + front);
  }
  return { data, shape: [1, tokens, width] };
}
