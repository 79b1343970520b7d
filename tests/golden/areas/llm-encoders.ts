/** Golden area `llm-encoders`: T5 and language models as text encoders, their tokens and templates. */
import { join } from 'node:path';
import type { NDArray } from '../../../engine/array/nd.ts';
import type { SequenceSpec } from '../../../engine/arch/sequence-spec.ts';
import * as specs from '../../../engine/arch/families/sequence-encoders.ts';
import { openTextEncoder } from '../../../engine/values/text-encoders.ts';
import type { TextEncoder } from '../../../engine/values/text-encoder.ts';
import { openSafetensors } from '../../../engine/weights/safetensors.ts';
import { goldenFiles } from '../../support/golden.ts';
import { type CaseResult, type Comparison, type GoldenArea, compare } from '../area.ts';
import { goldenRuntime } from '../device.ts';
import { modelFile } from '../model-file.ts';
import { type GoldenCase, openCase } from '../open-case.ts';
import { compareTokens, tokenFamilies } from '../sequence-tokens.ts';

interface Params {
  readonly case: string;
  readonly area: string;
  readonly model?: string;
  readonly prompts?: readonly string[];
  readonly prompt?: string;
}

type Golden = GoldenCase<Params>;

/** What the tiny models have otherwise than the released ones; in the files' metadata. */
interface ModelConfig {
  readonly config: {
    readonly head_dim?: number;
    readonly rope_dims?: readonly number[];
    readonly pad_token?: number;
    readonly visual?: { readonly num_heads: number };
  };
  readonly pad_token?: number;
  readonly visual?: { readonly num_heads: number };
}

const runtime = goldenRuntime();

/** How each case uses its encoder, by the start of its name. */
const usage: readonly (readonly [string, SequenceSpec])[] = [
  ['t5_flux', specs.t5xxlOfFlux],
  ['t5_weights', specs.t5xxlOfFlux],
  ['t5_masked', specs.t5xxl],
  ['t5_cosmos', specs.t5xxlOld],
  ['umt5_wan', specs.umt5xxl],
  ['pile_t5', specs.pileT5xl],
  ['gemma2', specs.gemma2],
  ['llama_hunyuan', { ...specs.llama, mask: 'always', crop: undefined }],
  ['llama_hidream', { ...specs.llamaOfHidream, mask: 'always' }],
  ['qwen_image_edit', { ...specs.qwen25vl, mask: 'always', crop: undefined }],
  ['qwen_text', { ...specs.qwen25vl, mask: 'always', crop: undefined }],
  ['qwen3b', specs.qwen25of3b],
  ['qwen3_zimage', specs.qwen3of4b],
  ['qwen3_klein', specs.qwen3of4bOfKlein],
  ['mistral3', specs.mistral3of24b],
];

/** The case's encoder, with the sizes that its tiny file states. */
export async function openTiny(
  dir: string,
  area: string,
  model: string,
  spec: SequenceSpec,
): Promise<TextEncoder> {
  const source = await openSafetensors(modelFile(dir, area, `${model}.safetensors`));
  const { config, pad_token, visual } = JSON.parse(source.metadata['model']) as ModelConfig;
  const pad = config.pad_token ?? pad_token ?? spec.pad;
  if (spec.kind !== 'language-model') return openTextEncoder(source, { ...spec, pad })!;
  const facts = {
    ...spec.facts,
    headSize: config.head_dim ?? spec.facts.headSize,
    ropeSections: config.rope_dims ?? spec.facts.ropeSections,
  };
  const visionHeads = visual?.num_heads ?? config.visual?.num_heads ?? spec.visionHeads;
  return openTextEncoder(source, { ...spec, pad, facts, visionHeads })!;
}

/** A row of ids (and weights) through the encoder. */
async function encoderCase(golden: Golden, dir: string, spec: SequenceSpec): Promise<CaseResult> {
  const { area, model } = golden.params;
  const encoder = await openTiny(dir, area, model!, spec);
  const ids = [...golden.numbers('in.ids').data];
  const weights = golden.has('in.weights')
    ? [...golden.array('in.weights').data]
    : ids.map(() => 1);
  const image = golden.optional('in.image');
  const place = ids.indexOf(-1);
  const pictures = image && new Map([[place, image]]);
  const batch = {
    ids: ids.map((id) => Math.max(id, 0)),
    weights,
    wordIds: ids.map(() => 0),
    pictures,
  };
  const { hidden, mask } = await encoder.kind.encode(encoder, [batch], { runtime });
  const comparisons: Comparison[] = [check(golden, 'out.cond', hidden)];
  if (golden.has('out.attention_mask')) {
    const { data, shape } = golden.numbers('out.attention_mask');
    const expected = { data: Float32Array.from(data), shape };
    comparisons.push(compare('out.attention_mask', mask!, expected, { atol: 0, rtol: 0 }));
  }
  return { comparisons };
}

const check = (golden: Golden, name: string, got: NDArray): Comparison =>
  compare(name, got, golden.array(name), golden.tolerance);

/** Which tokens HunyuanVideo keeps of its template. */
function cropCase(golden: Golden): CaseResult {
  const ids = golden.numbers('in.ids').data;
  const { start, end = ids.length } = specs.llamaUserTurn(ids, ids.length);
  const kept = ids.map((_, i) => i).slice(start, end);
  const expected = golden.numbers('out.kept_positions').data;
  const pass = JSON.stringify(kept) === JSON.stringify(expected);
  return {
    comparisons: [{ name: 'kept_positions', maxError: pass ? 0 : Infinity, tolerance: 0, pass }],
  };
}

/** Runs a case of this area, or one of the same form in another. */
export async function runEncoderCase(
  dir: string,
  name: string,
  families = tokenFamilies,
): Promise<CaseResult> {
  const golden = await openCase<Params>(join(dir, `${name}.safetensors`));
  if (name.startsWith('crop_')) return cropCase(golden);
  if (name.startsWith('tokens_')) return compareTokens(golden, dir, families);
  const found = usage.find(([start]) => name.startsWith(start));
  return found ? encoderCase(golden, dir, found[1]) : { skip: `nothing runs the case '${name}'` };
}

export const area: GoldenArea = {
  name: 'llm-encoders',
  list: async (dir) =>
    goldenFiles(dir, '.safetensors')
      .map((file) => file.slice(0, -'.safetensors'.length))
      .filter((name) => !name.startsWith('model_')),
  run: (dir, name) => runEncoderCase(dir, name),
};
