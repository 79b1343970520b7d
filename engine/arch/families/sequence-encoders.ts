/**
 * T5, language models and BERT as the families use them: lengths, templates, masks, layers. The facts are
 * those of the released models as ComfyUI runs them.
 */
import type { Weights } from '../../tensor/cursor.ts';
import type { LanguageModelFacts } from '../language-model.ts';
import type { BertSpec, Crop, LanguageModelSpec, T5Spec } from '../sequence-spec.ts';
import { qwenEditTemplate, qwenPicture } from '../qwen-prompts.ts';
import type { T5Config } from '../t5.ts';

// T5

const t5: Omit<T5Spec, 'name' | 'minLength'> = {
  kind: 't5',
  vocabulary: 't5',
  end: 1,
  pad: 0,
  masked: false,
};

/** T5-XXL 1.1 as Mochi uses it, and whoever says nothing else. */
export const t5xxl: T5Spec = {
  ...t5,
  name: 't5xxl',
  embeddings: true,
  minLength: 256,
  masked: true,
  mask: 'always',
};
export const t5xxlOfLtxv: T5Spec = { ...t5xxl, minLength: 128 };
/** Padding is attended to. */
export const t5xxlOfFlux: T5Spec = { ...t5, name: 't5xxl', embeddings: true, minLength: 256 };
export const t5xxlOfSd3: T5Spec = { ...t5xxlOfFlux, minLength: 77 };
/** PixArt and Chroma: no padding at all. */
export const t5xxlOfPixart: T5Spec = { ...t5xxlOfFlux, minLength: 1, emptyIsPadding: true };
export const t5xxlOfHidream: T5Spec = {
  ...t5xxlOfFlux,
  minLength: 128,
  maxLength: 128,
  firstRowOnly: true,
  masked: true,
};
/** T5-XXL 1.0, 1024 wide: Cosmos. */
export const t5xxlOld: T5Spec = {
  ...t5xxl,
  name: 't5xxl_old',
  minLength: 512,
  zeroed: true,
};
/** Stable Audio. */
export const t5base: T5Spec = { ...t5, name: 't5base', minLength: 128, masked: true, zeroed: true };
/** AuraFlow. */
export const pileT5xl: T5Spec = {
  ...t5,
  name: 'pile_t5xl',
  vocabulary: 'pile-t5',
  end: 2,
  pad: 1,
  minLength: 256,
  masked: true,
  zeroed: true,
};
/** Wan. */
export const umt5xxl: T5Spec = {
  ...t5,
  name: 'umt5xxl',
  vocabulary: 'umt5',
  minLength: 512,
  masked: true,
  zeroed: true,
};
/** ACE-Step. */
export const umt5base: T5Spec = {
  ...t5,
  name: 'umt5base',
  vocabulary: 'umt5',
  minLength: 1,
  masked: true,
};
/** HunyuanDiT's second encoder. */
export const mt5xl: T5Spec = {
  ...t5,
  name: 'mt5xl',
  vocabulary: 'mt5',
  minLength: 256,
  masked: true,
  mask: 'always',
};
/** HunyuanImage's encoder of what stands in quotes: glyphs to draw. */
export const byt5small: T5Spec = {
  ...t5,
  name: 'byt5_small',
  vocabulary: 'byt5',
  minLength: 1,
  masked: true,
  zeroed: true,
  part: quotedText,
};

/** `Text "x". ` for each text in double or Chinese quotes; undefined without any. */
function quotedText(prompt: string): string | undefined {
  const texts = [/"(.*?)"/g, /‘(.*?)’/g, /“(.*?)”/g].flatMap((quotes) =>
    [...prompt.matchAll(quotes)].map(([, text]) => `Text "${text}". `),
  );
  return texts.length > 0 ? texts.join('') : undefined;
}

/** Which T5 a file holds. */
export function t5ByShape(
  { width, layers, gated, inner, vocabulary, tablesEverywhere }: T5Config,
  tensors: ReadonlyMap<string, unknown>,
): T5Spec {
  if (!gated) return layers < 24 && width === 768 ? t5base : t5xxlOld;
  if (inner === 384) return byt5small;
  if (!tablesEverywhere) return width === 2048 || vocabulary > 200_000 ? mt5xl : t5xxl;
  if (width === 2048) return pileT5xl;
  return width === 768 && tensors.has('spiece_model') ? umt5base : umt5xxl;
}

// BERT

/** HunyuanDiT's first encoder. */
export const chineseRoberta: BertSpec = {
  kind: 'bert',
  name: 'hydit_clip',
  vocabulary: 'chinese-bert',
  start: 101,
  end: 102,
  pad: 0,
  minLength: 77,
  maxLength: 512,
  masked: true,
  mask: 'always',
};

// Language models

const llama3: LanguageModelFacts = {
  headSize: 128,
  eps: 1e-5,
  rope: [{ theta: 500_000 }],
  activation: 'silu',
};
const qwen25: LanguageModelFacts = { ...llama3, eps: 1e-6, rope: [{ theta: 1_000_000 }] };
const qwen3 = qwen25;
const mistral3: LanguageModelFacts = { ...llama3, rope: [{ theta: 1_000_000_000 }] };
const gemma2Facts: LanguageModelFacts = {
  headSize: 256,
  eps: 1e-6,
  rope: [{ theta: 10_000 }],
  activation: 'geluTanh',
  gemma: true,
};
/** Every sixth layer looks far: another base, and positions eight times as near. */
const gemma3Facts: LanguageModelFacts = {
  ...gemma2Facts,
  rope: [{ theta: 10_000 }, { theta: 1_000_000, scale: 8 }],
  ropeOf: (layer) => (layer % 6 === 5 ? 1 : 0),
};

const LLAMA_START = 128000;

/** HunyuanVideo's LLaVA. */
export const llama: LanguageModelSpec = {
  kind: 'language-model',
  name: 'llama',
  vocabulary: 'llama3',
  embeddings: true,
  facts: llama3,
  states: -3,
  start: LLAMA_START,
  pad: 128258,
  minLength: 1,
  masked: true,
  mask: 'where-padded',
  template:
    '<|start_header_id|>system<|end_header_id|>\n\nDescribe the video by detailing the following aspects: ' +
    '1. The main content and theme of the video.' +
    '2. The color, shape, size, texture, quantity, text, and spatial relationships of the objects.' +
    '3. Actions, events, behaviors temporal relationships, physical movement changes of the objects.' +
    '4. background environment, light, style and atmosphere.' +
    '5. camera angles, movements, and transitions used in the video:<|eot_id|>' +
    '<|start_header_id|>user<|end_header_id|>\n\n{}<|eot_id|>',
  crop: llamaUserTurn,
};

/** HiDream: every state, of the bare prompt. */
export const llamaOfHidream: LanguageModelSpec = {
  ...llama,
  states: 'all',
  pad: 128009,
  minLength: 128,
  mask: undefined,
  template: undefined,
  crop: undefined,
};

/** What the user said, with the end of the turn. */
export function llamaUserTurn(ids: readonly unknown[], length: number): Crop {
  let start = 0;
  let end: number | undefined;
  let open = false;
  ids.forEach((id, i) => {
    if (id === 128006 && ids[i + 1] === 882 && ids[i + 2] === 128007) {
      start = i + 2;
      open = true;
    }
    if (id === 128009 && open) {
      end = i + 1;
      open = false;
    }
  });
  // behind the header come two line ends, one token
  if (length > start + 2 && ids[start + 1] === 271) start += 2;
  return { start, end: open ? -1 : end };
}

/** Lumina 2. */
export const gemma2: LanguageModelSpec = {
  kind: 'language-model',
  name: 'gemma2_2b',
  vocabulary: 'gemma2',
  facts: gemma2Facts,
  states: -2,
  start: 2,
  pad: 0,
  minLength: 1,
  masked: true,
  mask: 'always',
};
export const gemma3: LanguageModelSpec = {
  ...gemma2,
  name: 'gemma3_4b',
  vocabulary: 'gemma3',
  facts: gemma3Facts,
};

const qwen: Omit<LanguageModelSpec, 'name' | 'facts' | 'states'> = {
  kind: 'language-model',
  vocabulary: 'qwen',
  pad: 151643,
  minLength: 1,
  masked: true,
};

/** OmniGen2. */
export const qwen25of3b: LanguageModelSpec = {
  ...qwen,
  name: 'qwen25_3b',
  facts: qwen25,
  states: 'last',
  mask: 'always',
  template:
    '<|im_start|>system\nYou are a helpful assistant that generates high-quality images based on user ' +
    'instructions.<|im_end|>\n<|im_start|>user\n{}<|im_end|>\n',
};

const DESCRIBE =
  '<|im_start|>system\nDescribe the image by detailing the color, shape, size, texture, quantity, text, ' +
  'spatial relationships of the objects and background:<|im_end|>\n<|im_start|>user\n{}<|im_end|>';

/** Qwen-Image and Qwen-Image-Edit. */
export const qwen25vl: LanguageModelSpec = {
  ...qwen,
  name: 'qwen25_7b',
  facts: { ...qwen25, ropeSections: [16, 24, 24] },
  states: 'last',
  mask: 'where-padded',
  plain: true,
  template: `${DESCRIBE}\n<|im_start|>assistant\n`,
  pictureTemplate: qwenEditTemplate.replace('{}', `${qwenPicture}{}`),
  pictureToken: 151655,
  visionHeads: 16,
  templated: ['<|im_start|>', '<|start_header_id|>'],
  crop: qwenUserTurn,
};

/** HunyuanImage; prompts of its refiner bring another template. */
export const qwen25vlOfHunyuan: LanguageModelSpec = {
  ...qwen25vl,
  states: -3,
  template: DESCRIBE,
  crop: (ids, length) =>
    ids[0] === 27 && ids.length > 36 ? { start: 36 } : qwenUserTurn(ids, length),
};

/** Everything from what the user said on. */
export function qwenUserTurn(ids: readonly unknown[], length: number): Crop {
  const turns = ids.flatMap((id, i) => (id === 151644 ? [i] : [])).slice(0, 2);
  const start = turns.at(-1) ?? -1;
  const header = length > start + 3 && ids[start + 1] === 872 && ids[start + 2] === 198;
  return { start: header ? start + 3 : start };
}

/** Z-Image. */
export const qwen3of4b: LanguageModelSpec = {
  ...qwen,
  name: 'qwen3_4b',
  embeddings: true,
  facts: qwen3,
  states: -2,
  mask: 'always',
  plain: true,
  template: '<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n',
};
/** FLUX.2 klein 4B. */
export const qwen3of4bOfKlein: LanguageModelSpec = {
  ...qwen3of4b,
  states: [9, 18, 27],
  minLength: 512,
  template: `${qwen3of4b.template}<think>\n\n</think>\n\n`,
};
/** FLUX.2 klein 9B. */
export const qwen3of8b: LanguageModelSpec = { ...qwen3of4bOfKlein, name: 'qwen3_8b' };
/** Anima; its network also reads T5's tokens. */
export const qwen3of06b: LanguageModelSpec = {
  ...qwen3of4b,
  name: 'qwen3_06b',
  states: 'last',
  plain: undefined,
  template: undefined,
};
/** Ovis-Image. */
export const qwen3of2b: LanguageModelSpec = {
  ...qwen3of4b,
  name: 'qwen3_2b',
  states: 'last',
  minLength: 284,
  zeroed: true,
  mask: undefined,
  template:
    '<|im_start|>user\nDescribe the image by detailing the color, quantity, text, shape, size, texture, ' +
    'spatial relationships of the objects and background: {}<|im_end|>\n<|im_start|>assistant\n' +
    '<think>\n\n</think>\n\n',
  crop: (ids, length) => {
    const start = ids.indexOf(4004);
    return { start: length > start + 1 && ids[start + 1] === 25 ? start + 1 : start };
  },
};
/** FLUX.2 dev. */
export const mistral3of24b: LanguageModelSpec = {
  kind: 'language-model',
  name: 'mistral3_24b',
  vocabulary: 'mistral3',
  embeddings: true,
  facts: mistral3,
  states: [10, 20, 30],
  start: 1,
  pad: 11,
  minLength: 1,
  masked: true,
  mask: 'always',
  plain: true,
  template:
    '[SYSTEM_PROMPT]You are an AI that reasons about image descriptions. You give structured responses ' +
    'focusing on object relationships, object\nattribution and actions without speculation.' +
    '[/SYSTEM_PROMPT][INST]{}[/INST]',
};

const qwen3ByWidth = new Map([
  [1024, qwen3of06b],
  [2048, qwen3of2b],
  [4096, qwen3of8b],
]);

/** Which language model a file holds; undefined when it is none. */
export function languageModelByShape(w: Weights): LanguageModelSpec | undefined {
  const layer = w.at('model.layers.0');
  const attention = layer.at('self_attn');
  if (!layer.has('post_attention_layernorm.weight') || !attention.has('k_proj.weight')) return;
  const [width] = layer.shape('post_attention_layernorm.weight');
  if (layer.has('post_feedforward_layernorm')) return attention.has('q_norm') ? gemma3 : gemma2;
  if (attention.has('k_proj.bias')) {
    const [keys] = attention.shape('k_proj.bias');
    if (keys === 256) return qwen25of3b;
    return keys === 512 || w.has('visual') ? qwen25vl : qwen25of3b;
  }
  if (attention.has('q_norm')) return qwen3ByWidth.get(width) ?? qwen3of4b;
  return width === 5120 || w.has('tekken_model') ? mistral3of24b : llama;
}
