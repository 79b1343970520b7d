/**
 * A diffusion model's training step on the host: noisy rows go in, the loss comes out, and gradients are
 * added to a vector.
 */
import type { NDArray } from '../array/nd.ts';
import type { ModelInput } from '../sampling/model.ts';
import { type ModelSampling, createModelSampling } from '../sampling/model-sampling.ts';
import { matmul, mul, reshape } from '../tensor/nn.ts';
import { sizeOfShape } from '../tensor/shape.ts';
import { type Model, changesOf, networkCall } from '../values/model.ts';
import { type NetworkRun, openNetwork } from '../values/network.ts';
import { type TrainedNetwork, trainedPatch } from './networks/trained.ts';
import type { ElementLoss } from './objective/losses.ts';
import { objective } from './objective/objective.ts';
import { type StepObjective, gradientName, gradientOf, trainingStep } from './step.ts';

/** How predictions are judged. */
export interface Judgement {
  readonly loss: ElementLoss;
  /** Names it in sessions' keys. */
  readonly lossName: string;
  /** Whether every batch brings a mask. */
  readonly masked?: boolean;
  /** The loss is at most this. */
  readonly maxLoss?: number;
}

/** What the network's answers to one call are held against; items are the pictures of the batch. */
export interface Told {
  /** Which rows of the call make an item's prediction, and how much each counts: [items, rows]. */
  readonly mix: NDArray;
  /** What each item's prediction is multiplied by: [items]. */
  readonly scale: Float32Array;
  /** What it should be then: [items, ...]. */
  readonly target: NDArray;
  /** What each item's loss counts: [items]; left out: 1. */
  readonly weight?: Float32Array;
  /** How much each place counts: broadcasts against the target. */
  readonly mask?: NDArray;
}

export interface MicroStep {
  /** The mean of the items' losses. */
  readonly loss: number;
  /** The gradients of inputs that were asked for, by name. */
  readonly through: Readonly<Record<string, NDArray>>;
}

export interface DenoisingTrainer {
  /** One forward and backward pass; adds the gradients of the trained numbers to `gradient`. Throws what sessions throw. */
  step(input: ModelInput, told: Told, gradient: Float32Array): Promise<MicroStep>;
}

export interface DenoisingOptions {
  readonly judgement: Judgement;
  readonly recompute: boolean;
  /** What the adapters count; left out: 1. */
  readonly strength?: number;
  /** Inputs of the network whose gradients are wanted too, where it has them. */
  readonly through?: readonly string[];
}

/** Trains what `network` says of a model, whose numbers are in `values`. */
export function denoisingTrainer(
  model: Model,
  run: NetworkRun,
  { network, values }: { readonly network: TrainedNetwork; readonly values: Float32Array },
  { judgement, recompute, strength, through = [] }: DenoisingOptions,
): DenoisingTrainer {
  const sampling = createModelSampling(model.sampling);
  const changes = changesOf(model, run, sampling);
  const patch = trainedPatch(network, values, strength);
  return {
    async step(input, told, gradient) {
      const { inputs, weights, architecture } = await networkCall(model, changes, input);
      const asked = through.filter((name) => name in inputs);
      const what = trainingStep(architecture, patch, {
        objective: objectiveOf(judgement, told.weight !== undefined),
        recompute,
        through: asked,
      });
      const own = network.layout.size > 0 ? [patch] : [];
      const patched = { ...weights, patches: [...weights.patches, ...own] };
      const rows = input.timesteps.length;
      const answers = await openNetwork(
        run,
        patched,
        what,
      )({ ...inputs, ...inputsOf(told) }, { rows, input });
      const found = answers[gradientName]?.data ?? [];
      for (let i = 0; i < found.length; i++) gradient[i] += found[i];
      return {
        loss: answers.loss.data[0],
        through: Object.fromEntries(asked.map((name) => [name, answers[gradientOf(name)]])),
      };
    },
  };
}

/** The names under which a step is told what it is held against. */
function inputsOf({ mix, scale, target, weight, mask }: Told): Record<string, NDArray> {
  const vector = (data: Float32Array): NDArray => ({ data, shape: [data.length] });
  return {
    mix,
    scale: vector(scale),
    target,
    ...(weight && { weight: vector(weight) }),
    ...(mask && { mask }),
  };
}

function objectiveOf(
  { loss, lossName, masked = false, maxLoss }: Judgement,
  weighted: boolean,
): StepObjective {
  return {
    identity: JSON.stringify([lossName, masked, maxLoss, weighted]),
    build: (g, { out }) => {
      const [batch, ...rest] = out.shape;
      const mix = g.input('mix', 'f32', ['items', batch]);
      const [items] = mix.shape;
      const whole = [items, ...rest];
      const perItem = [items, ...rest.map(() => 1)];
      const rows = matmul(mix, reshape(out, [batch, sizeOfShape(rest)]));
      const scale = reshape(g.input('scale', 'f32', [items]), perItem);
      const { loss: mean, perSample } = objective({
        prediction: mul(reshape(rows, whole), scale),
        target: g.input('target', 'f32', whole),
        loss,
        ...(masked && { mask: g.input('mask', 'f32', [items, 1, ...rest.slice(1)]) }),
        ...(weighted && { weight: g.input('weight', 'f32', [items]) }),
        ...(maxLoss !== undefined && { maxLoss }),
      });
      return { loss: mean, perSample };
    },
  };
}

/** a, b of the denoised picture a·x + b·output at a noise level. */
export function denoisedWeights(sampling: ModelSampling, sigma: number): readonly [number, number] {
  const one = { data: Float32Array.of(1), shape: [1] };
  const zero = { data: Float32Array.of(0), shape: [1] };
  const weight = (output: NDArray, x: NDArray): number =>
    sampling.calculateDenoised(sigma, output, x).data[0];
  return [weight(zero, one), weight(one, zero)];
}

/** The latents of a batch as the network is asked about them: every prompt on every item, averaged. */
export function averaged(items: number, prompts: number): NDArray {
  const data = new Float32Array(items * items * prompts);
  for (let item = 0; item < items; item++) {
    for (let prompt = 0; prompt < prompts; prompt++) {
      data[item * items * prompts + prompt * items + item] = 1 / prompts;
    }
  }
  return { data, shape: [items, items * prompts] };
}
