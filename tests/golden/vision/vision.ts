/** Cases of picture encoders and style models, which lie in the golden area `upscale`. */
import { styleAdapter } from '../../../engine/arch/style-model.ts';
import type { NDArray } from '../../../engine/array/nd.ts';
import type { ClipBlockOptions } from '../../../engine/arch/clip.ts';
import type { AttentionBias } from '../../../engine/values/attention-bias.ts';
import {
  type ClipVision,
  encodePictures,
  requireClipVision,
  visionPixels,
} from '../../../engine/values/clip-vision.ts';
import { openStyleModel, styleTokens, withStyle } from '../../../engine/values/style-model.ts';
import { openSafetensors } from '../../../engine/weights/safetensors.ts';
import { type CaseResult, type Comparison, compare } from '../area.ts';
import { goldenRuntime } from '../device.ts';
import { modelFile } from '../model-file.ts';
import type { GoldenCase } from '../open-case.ts';

interface Params {
  readonly op: string;
  readonly model: string;
  readonly heads?: number;
  readonly strength?: number;
  readonly config?: { readonly hidden_act: string };
}

type Golden = GoldenCase<Params>;

const runtime = goldenRuntime();

/** Names of the cases. */
export const visionCases = /^(clip_vision|siglip|style)/;

/** Runners of the cases by their `op`. */
export const visionOperations: Readonly<
  Record<string, (golden: Golden, dir: string) => Promise<CaseResult>>
> = { clip_vision: pictureEncoder, t2i_style: adapter, redux };

const open = (golden: Golden, dir: string) =>
  openSafetensors(modelFile(dir, 'upscale', golden.params.model));

/** torch's names of the activations that configurations state. */
const activations: Readonly<Record<string, ClipBlockOptions['activation']>> = {
  quick_gelu: 'quickGelu',
  gelu: 'gelu',
  gelu_pytorch_tanh: 'geluTanh',
};

async function pictureEncoder(golden: Golden, dir: string): Promise<CaseResult> {
  const found = requireClipVision(await open(golden, dir));
  // the small models have too few layers to be told apart by them
  const activation = activations[golden.params.config!.hidden_act];
  const vision: ClipVision = { ...found, config: { ...found.config, activation } };
  const comparisons: Comparison[] = [];
  const got = new Map<string, NDArray>();
  const variants = [
    ['center', 'in.image_rgba', 'center'],
    ['none', 'in.image_rgba', 'none'],
    ['upsampled', 'in.image_small', 'center'],
  ] as const;
  for (const [name, picture, crop] of variants) {
    const image = golden.array(picture);
    got.set(`mid.pixels.${name}`, visionPixels(image, vision.config, crop));
    const seen = await encodePictures(vision, image, crop, { runtime });
    got.set(`out.image_embeds.${name}`, seen.embeds);
    got.set(`out.last_hidden_state.${name}`, seen.last);
    got.set(`out.penultimate_hidden_states.${name}`, seen.penultimate);
  }
  for (const name of golden.names.filter((key) => !key.startsWith('in.'))) {
    comparisons.push(check(golden, name, got.get(name)!));
  }
  return { comparisons };
}

async function adapter(golden: Golden, dir: string): Promise<CaseResult> {
  const style = openStyleModel(await open(golden, dir));
  const { kind } = style;
  const heads = golden.params.heads!;
  const small = {
    ...style,
    kind: { ...kind, build: (w, x) => styleAdapter(w, x, { heads }) } satisfies typeof kind,
  };
  const last = golden.array('in.last_hidden_state');
  return {
    comparisons: [check(golden, 'out.cond', await styleTokens(small, { last }, { runtime }))],
  };
}

async function redux(golden: Golden, dir: string): Promise<CaseResult> {
  const style = openStyleModel(await open(golden, dir));
  const last = golden.array('in.last_hidden_state');
  const tokens = await styleTokens(style, { last }, { runtime });
  const comparisons = [check(golden, 'out.cond', tokens)];
  const text = [{ cross: golden.array('in.text') }];
  for (const name of golden.names) {
    const applied = /^out\.(applied|attention_mask)\.(multiply|attn_bias)(.+)$/.exec(name);
    if (!applied) continue;
    const how = applied[2] as 'multiply' | 'attn_bias';
    const [entry] = withStyle(text, tokens, Number(applied[3]), how);
    const bias = entry.extra?.attention_bias as AttentionBias | undefined;
    comparisons.push(check(golden, name, applied[1] === 'applied' ? entry.cross : bias!));
  }
  return { comparisons };
}

function check(golden: Golden, name: string, got: NDArray): Comparison {
  return compare(name, got, golden.array(name), golden.tolerance);
}
