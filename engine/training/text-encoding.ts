/**
 * Text encoders in training: a prompt is encoded with what is trained of them, and the gradient of its encoding, which
 * the diffusion model's step gives, is led back through the join of the encoders into each of them.
 */
import { rows } from '../array/batch.ts';
import { type NDArray, sizeOf } from '../array/nd.ts';
import type { EncodedText, TextSetup } from '../arch/family.ts';
import type { ConditioningEntry } from '../sampling/conditioning.ts';
import { add, mul, sum } from '../tensor/nn.ts';
import type { Token, TokenBatch } from '../text/token-batches.ts';
import { type Clip, type PromptTokens, encodeTexts } from '../values/clip.ts';
import { type NetworkRun, openNetwork } from '../values/network.ts';
import type { TextEncoder } from '../values/text-encoder.ts';
import { type Acting, adaptedClip, numbersIn, patchOf } from './networks/trainees.ts';
import type { TrainedPatch } from './networks/trained.ts';
import { type StepObjective, gradientName, trainingStep } from './step.ts';

/** Inputs of diffusion models that text encoders may have made. */
export const textInputs = ['cross', 'pooled'] as const;

/** Gradients of `textInputs`, each [1, ...]; those that the model does not have are left out. */
export type TextGradient = { readonly [name in (typeof textInputs)[number]]?: NDArray };

/** The gradient of one row of a batch. */
export const rowOf = (of: TextGradient, row: number): TextGradient =>
  Object.fromEntries(
    textInputs.flatMap((name) => (of[name] ? [[name, rows(of[name], row, row + 1)]] : [])),
  );

export interface TrainedText {
  readonly entry: ConditioningEntry;
  /** Adds to a vector of all trained numbers what the gradient of the entry says of them. */
  readonly learn: (from: TextGradient, gradient: Float32Array) => Promise<void>;
}

/** Whether a text encoder is of a kind that is trained here. */
export const isTrainable = ({ kind }: TextEncoder): boolean => kind.row !== undefined;

export interface TextTraining {
  readonly run: NetworkRun;
  readonly recompute: boolean;
}

/** Encodes prompts with text encoders and what is trained of them. */
export function textTrainer(
  clip: Clip,
  acting: Acting,
  options: TextTraining,
): (tokens: PromptTokens) => Promise<TrainedText> {
  const { trainees, values, strength } = acting;
  const { setup, encoders } = clip;
  const trained = encoders.flatMap((encoder) => {
    const trainee = trainees.list.find((each) => each.encoder === encoder.spec.name);
    return trainee ? [{ encoder, trainee, patch: patchOf(trainee, values, strength) }] : [];
  });
  return async (tokens) => {
    const encoded = await encodeTexts(adaptedClip(clip, acting), tokens, options.run);
    return {
      entry: setup.join(encoded),
      learn: async (from, gradient) => {
        const names = new Set(trained.map(({ encoder }) => encoder.spec.name));
        const apart = unjoined(setup, encoded, from, names);
        for (const { encoder, trainee, patch } of trained) {
          const { name } = encoder.spec;
          const of = apart.get(name);
          if (!of) continue;
          for (const row of rowsOf(encoder, tokens[name]!, of)) {
            const found = await pulledBack(encoder, patch, row, options);
            addTo(numbersIn(gradient, trainee), found);
          }
        }
      },
    };
  };
}

function addTo(sums: Float32Array, more: Float32Array): void {
  for (let i = 0; i < more.length; i++) sums[i] += more[i];
}

/** Gradients of what an encoder gave. */
interface Outputs {
  readonly hidden: Float32Array;
  readonly pooled: Float32Array | undefined;
}

/**
 * The gradient of a joined encoding as gradients of the encoders' outputs. Joins move numbers and change none: from what
 * they make of the numbers' places one sees where each went.
 */
function unjoined(
  setup: TextSetup,
  encoded: Readonly<Record<string, EncodedText>>,
  from: TextGradient,
  names: ReadonlySet<string>,
): Map<string, Outputs> {
  let count = 1; // 0 is padding
  const numbered = ({ shape }: NDArray): NDArray => {
    const first = count;
    count += sizeOf(shape);
    return { data: Float32Array.from({ length: count - first }, (_, i) => first + i), shape };
  };
  const blank = ({ shape }: NDArray): NDArray => ({ data: new Float32Array(sizeOf(shape)), shape });
  const places = Object.fromEntries(
    Object.entries(encoded).map(([name, text]) => {
      const place = names.has(name) ? numbered : blank;
      const { hidden, pooled } = text;
      return [name, { ...text, hidden: place(hidden), ...(pooled && { pooled: place(pooled) }) }];
    }),
  );
  const joined = setup.join(places);
  const gradient = new Float32Array(count);
  for (const name of textInputs) {
    const given = from[name]?.data;
    if (given) joined[name]?.data.forEach((place, i) => (gradient[place] += given[i]));
  }
  const back = ({ data: [first], shape }: NDArray): Float32Array =>
    gradient.subarray(first, first + sizeOf(shape));
  return new Map(
    Object.entries(places)
      .filter(([name]) => names.has(name))
      .map(([name, { hidden, pooled }]) => {
        const heard = from.pooled && pooled;
        return [name, { hidden: back(hidden), pooled: heard && back(heard) }];
      }),
  );
}

/** A row of tokens with the gradient of what came of it. */
interface Row extends Outputs {
  readonly tokens: readonly Token[];
}

/** An encoding's rows; emphasis is a share of a row and of the empty prompt (encode-rows.ts). */
function rowsOf(
  { kind, ...encoder }: TextEncoder,
  batches: readonly TokenBatch[],
  { hidden, pooled }: Outputs,
): Row[] {
  const empty = (length: number): readonly Token[] => kind.row!.empty({ kind, ...encoder }, length);
  const tokens = batches.reduce((count, { ids }) => count + ids.length, 0);
  const width = hidden.length / tokens;
  const longest = Math.max(...batches.map(({ ids }) => ids.length));
  const origin = new Float32Array(longest * width);
  let start = 0;
  const found = batches.map(({ ids, weights }, b): Row => {
    const own = hidden.slice(start, (start += ids.length * width));
    weights.forEach((exact, token) => {
      const weight = Math.fround(exact);
      if (weight === 1) return;
      for (let i = token * width; i < (token + 1) * width; i++) {
        origin[i] += (1 - weight) * own[i];
        own[i] *= weight;
      }
    });
    return { tokens: ids, hidden: own, pooled: b === 0 ? pooled : undefined };
  });
  if (origin.every((value) => value === 0)) return found;
  return [...found, { tokens: empty(longest), hidden: origin, pooled: undefined }];
}

/** The gradient of an encoder's trained numbers from that of what came of a row. */
async function pulledBack(
  encoder: TextEncoder,
  patch: TrainedPatch,
  { tokens, hidden, pooled }: Row,
  { run, recompute }: TextTraining,
): Promise<Float32Array> {
  const { architecture, inputs } = encoder.kind.row!.call(encoder, tokens);
  const width = hidden.length / tokens.length;
  const along: Record<string, NDArray> = {
    [alongName('hidden')]: { data: hidden, shape: [1, tokens.length, width] },
    ...(pooled && { [alongName('pooled')]: { data: pooled, shape: [1, pooled.length] } }),
  };
  const objective = pooled ? alongAll : alongHidden;
  const what = trainingStep(architecture, patch, { objective, recompute });
  const weights = { ...encoder, patches: [...encoder.patches, patch] };
  const answers = await openNetwork(run, weights, what)({ ...inputs, ...along }, { rows: 1 });
  return answers[gradientName].data;
}

const alongName = (output: string): string => `along/${output}`;

/** The product of outputs with what is given along them: its gradient is theirs, led back. */
const productOf = (outputs: readonly string[]): StepObjective => ({
  identity: `along ${outputs.join()}`,
  build: (g, answers) => {
    const products = outputs.map((name) => {
      const answer = answers[name];
      const axes = answer.shape.map((_, axis) => axis);
      return sum(mul(answer, g.input(alongName(name), 'f32', answer.shape)), axes);
    });
    return { loss: products.reduce((a, b) => add(a, b)) };
  },
});
const alongHidden = productOf(['hidden']);
const alongAll = productOf(['hidden', 'pooled']);
