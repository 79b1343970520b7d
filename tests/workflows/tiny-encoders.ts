/** Tiny text encoders of diffusion transformers. */
import {
  FEW_TOKENS,
  LLAMA_TOKENS,
  QWEN_TOKENS,
  type Shapes,
  bert,
  clip,
  languageModel,
  qwenEyes,
  spieceModel,
  t5,
  tekkenModel,
} from '../support/tiny-encoders.ts';
import type { FileTensors } from './stand-ins.ts';
import { type Tensors, randomLayers } from './tensors.ts';

/** Widths of the encoders' states; Gemma's is the network's own. */
export const CLIP = 64;
export const T5 = 128;
export const BERT = 64;
export const BYT5 = 64;
export const GEMMA = 288;
export const QWEN = 32;

const encoder = (shapes: Shapes) => async (): Promise<Tensors> =>
  randomLayers(Object.entries(shapes));

export const clipL = encoder(clip({ width: CLIP }));
export const clipG = encoder(clip({ width: CLIP, layers: 32 }));
export const t5xxl = encoder(t5({ width: T5 }));
/** Cosmos' T5 1.0. */
export const oldT5 = encoder(t5({ width: T5, gated: false }));
export const pileT5 = encoder(t5({ width: T5, tables: 'every' }));
export const byt5 = encoder(t5({ width: BYT5, heads: 6 }));
/** More layers than the tiny HiDream looks at, as wide as its T5. */
export const llama = encoder(languageModel({ width: T5, tokens: LLAMA_TOKENS, layers: 6 }));
export const qwen25of7b = encoder({
  ...languageModel({ width: QWEN, tokens: QWEN_TOKENS, layers: 3, heads: 4, biased: true }),
  ...qwenEyes(QWEN),
});
/** OmniGen2's. */
export const qwen25of3b = encoder(
  languageModel({ width: QWEN, tokens: QWEN_TOKENS, heads: 2, biased: true }),
);
/** HunyuanDiT's; its other one is a T5 whose vocabulary lies beside it. */
export const hunyuanBert = encoder(bert({ width: BERT }));
/** As many layers as FLUX.2 klein looks at. */
export const qwen3of4b = encoder(
  languageModel({ width: QWEN, tokens: QWEN_TOKENS, layers: 28, normed: true }),
);

/** A vocabulary as it lies in an encoder's own file. */
const inTensor = (name: string, bytes: Uint8Array): FileTensors =>
  new Map([[name, { dtype: 'U8', shape: [bytes.length], bytes }]]);
export const vocabulary = async () => inTensor('spiece_model', spieceModel());

/** As many layers as FLUX.2 dev looks at. */
export async function mistral(): Promise<FileTensors> {
  const sizes = { width: QWEN, tokens: FEW_TOKENS, layers: 31 };
  const model: FileTensors = await encoder(languageModel(sizes))();
  return new Map([...model, ...inTensor('tekken_model', tekkenModel())]);
}

export async function gemma2(): Promise<FileTensors> {
  const sizes = { width: GEMMA, tokens: FEW_TOKENS, layers: 2, head: 256, fourNorms: true };
  const model: FileTensors = await encoder(languageModel(sizes))();
  return new Map([...model, ...(await vocabulary())]);
}
