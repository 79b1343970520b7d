/** Golden cases of tokens: prompts as the families' encoders cut them. */
import { join } from 'node:path';
import type { SequenceSpec } from '../../engine/arch/sequence-spec.ts';
import * as specs from '../../engine/arch/families/sequence-encoders.ts';
import { qwenEditTemplate, qwenPicture } from '../../engine/arch/qwen-prompts.ts';
import { NoodleError } from '../../engine/errors.ts';
import { findVocabulary } from '../../engine/store/vocabulary-files.ts';
import type { TokenBatch } from '../../engine/text/token-batches.ts';
import type { PromptOptions } from '../../engine/values/text-encoder.ts';
import { type SequenceEncoder, tokenizeSequence } from '../../engine/values/sequence-encoder.ts';
import { openSafetensors } from '../../engine/weights/safetensors.ts';
import type { WeightSource } from '../../engine/weights/source.ts';
import type { CaseResult, Comparison } from './area.ts';
import { modelFile } from './model-file.ts';
import type { GoldenCase } from './open-case.ts';

/** How the families of the cases are run, by the names that the cases use. */
export const tokenFamilies: Readonly<Record<string, SequenceSpec>> = {
  sd3: specs.t5xxlOfSd3,
  flux: specs.t5xxlOfFlux,
  pixart_chroma: specs.t5xxlOfPixart,
  mochi: specs.t5xxl,
  ltxv: specs.t5xxlOfLtxv,
  hidream: specs.t5xxlOfHidream,
  cosmos: specs.t5xxlOld,
  stable_audio: specs.t5base,
  auraflow: specs.pileT5xl,
  wan: specs.umt5xxl,
  byt5: specs.byt5small,
  lumina2: specs.gemma2,
  qwen_image: specs.qwen25vl,
  qwen_image_edit: specs.qwen25vl,
  hunyuan_image: specs.qwen25vlOfHunyuan,
  omnigen2: specs.qwen25of3b,
};

/** Templates that the newer families of the cases have. */
export const tokenFamilies2026: Readonly<Record<string, SequenceSpec>> = {
  ...tokenFamilies,
  zimage: specs.qwen3of4b,
  flux2_klein: specs.qwen3of4bOfKlein,
  ovis_image: specs.qwen3of2b,
  anima_qwen: specs.qwen3of06b,
  anima_t5: specs.t5xxlOfPixart,
  hunyuan_video_15_byt5: specs.byt5small,
  qwen_image_edit_plus_2pictures: specs.qwen25vl,
};

/**
 * The folder of models that vocabularies are looked for in: they are of other makers and not in this
 * repository. NOODLE_GOLDEN_MODELS names another one than the program's.
 */
const models = process.env.NOODLE_GOLDEN_MODELS ?? join(import.meta.dirname, '../../models');

export const findGoldenVocabulary = (
  folders: readonly string[],
  file: string,
): string | undefined => findVocabulary([join(models, 'text_encoders')], folders, file);

/** An encoder that only cuts prompts; its vocabulary is in `source`, or found by name. */
export const tokensOnly = (spec: SequenceSpec, source: WeightSource = noFile): SequenceEncoder =>
  ({ spec, config: { width: 4096, layers: 1 }, source }) as unknown as SequenceEncoder;

const noFile: WeightSource = { label: 'no file', identity: '', tensors: new Map(), metadata: {} };

/** What a case says of its prompts. */
interface TokenParams {
  readonly area: string;
  readonly model?: string;
  readonly prompts?: readonly string[];
}

/** A picture that nobody looks at: tokens only count it. */
const picture = { data: new Float32Array(3), shape: [1, 1, 1, 3] };

/** Every list of the case that one of `families` stands for; skipped where a vocabulary is not at hand. */
export async function compareTokens(
  golden: GoldenCase<TokenParams>,
  dir: string,
  families: Readonly<Record<string, SequenceSpec>>,
): Promise<CaseResult> {
  const { model, area, prompts } = golden.params;
  const source = model
    ? await openSafetensors(modelFile(dir, area, `${model}.safetensors`))
    : undefined;
  const comparisons: Comparison[] = [];
  const others = new Set<string>();
  for (const name of golden.names.filter((key) =>
    /^out\..*\.(ids|weights|kept_positions)$/.test(key),
  )) {
    const parts = name.split('.');
    const family = parts[1];
    const what = parts.at(-1)!;
    const spec = families[family];
    if (!spec) {
      others.add(family);
      continue;
    }
    const prompt = prompts![Number(parts[2])];
    const row = parts.length > 4 && what !== 'kept_positions' ? Number(parts[3]) : 0;
    const { before = '', ...options } = family.includes('_edit') ? pictured(family) : {};
    let batches: TokenBatch[];
    try {
      const encoder = tokensOnly(spec, source);
      const files = {
        find: () => undefined,
        warn: () => undefined,
        vocabulary: findGoldenVocabulary,
      };
      batches = tokenizeSequence(encoder, before + prompt, files, options) ?? [];
    } catch (error) {
      if (error instanceof NoodleError && error.code === 'VOCABULARY_MISSING') {
        return { skip: `the vocabulary '${spec.vocabulary}' is not at hand` };
      }
      throw error;
    }
    const got = what === 'kept_positions' ? keptOf(spec, batches[0]) : listOf(batches[row], what);
    const pass = JSON.stringify(got) === JSON.stringify(golden.numbers(name).data);
    comparisons.push({ name, maxError: pass ? 0 : Infinity, tolerance: 0, pass });
  }
  if (comparisons.length === 0) return { skip: `nothing runs ${[...others].join(', ')}` };
  return { comparisons };
}

const listOf = ({ ids, weights }: TokenBatch, what: string): unknown =>
  what === 'ids' ? ids : weights.map(Math.fround);

function keptOf(spec: SequenceSpec, { ids }: TokenBatch): number[] {
  const { start, end = ids.length } = spec.crop!(ids, ids.length);
  return ids.map((_, i) => i).slice(start, end);
}

/** The prompts of Qwen-Image-Edit come with a picture, those of Edit-Plus here with two. */
function pictured(family: string): PromptOptions & { readonly before?: string } {
  const plus = family.startsWith('qwen_image_edit_plus');
  if (!plus) return { pictures: [picture] };
  const before = [1, 2].map((number) => `Picture ${number}: ${qwenPicture}`).join('');
  return { pictures: [picture, picture], template: qwenEditTemplate, before };
}
