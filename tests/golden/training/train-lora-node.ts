/**
 * Golden `training/train-lora-node`: whole runs of ComfyUI's TrainLoraNode, drawn by our own generator from the same
 * seeds: every loss, the effect of training, and the trained tensors.
 */
import { join } from 'node:path';
import { families } from '../../../engine/arch/families/index.ts';
import { TorchGenerator } from '../../../engine/sampling/noise/torch-generator.ts';
import type { ConditioningEntry } from '../../../engine/sampling/conditioning.ts';
import { type TrainLoraSettings, trainLora } from '../../../engine/training/train-lora.ts';
import { diffusionModelOf } from '../../../engine/values/load-checkpoint.ts';
import { openSafetensors } from '../../../engine/weights/safetensors.ts';
import { type CaseResult, type Comparison, compare } from '../area.ts';
import { goldenRuntime } from '../device.ts';
import { modelFile } from '../model-file.ts';
import { type GoldenCase, gunzipped, openCase } from '../open-case.ts';
import { effect, list, namesOf, tensorsWithin } from './runs.ts';

interface Params {
  readonly model: string;
  readonly existing_file?: string;
  readonly init_seed: number;
  readonly names: readonly string[];
  readonly loosely_determined: readonly string[];
  readonly node: {
    readonly batch_size: number;
    readonly steps: number;
    readonly grad_accumulation_steps: number;
    readonly learning_rate: number;
    readonly rank: number;
    readonly optimizer: string;
    readonly loss_function: TrainLoraSettings['loss'];
    readonly seed: number;
    readonly algorithm: string;
    readonly gradient_checkpointing: boolean;
    readonly training_dtype: string;
  };
}

const runtime = goldenRuntime();

/** Runs the node's loop with the case's seeds. */
export async function run(dir: string, name: string): Promise<CaseResult> {
  const golden = await openCase<Params>(join(dir, `${name}.safetensors`));
  const { params } = golden;
  const { node } = params;
  if (node.training_dtype !== 'fp32') return inSubstitute(golden, dir);
  const { tensors, losses } = await trained(golden, dir);
  const expected = golden.array('out.loss');
  const comparisons: Comparison[] = [
    compare('loss', list(losses), expected, { atol: 0, rtol: 0.01 }),
    effect(losses, expected.data, golden.array('out.loss_untrained').data),
    namesOf([...tensors.keys()], params.names),
    ...tensorsWithin(golden, tensors),
  ];
  return { comparisons };
}

/** bf16 is computed in fp32: within a tenth of the reference's own fp32 curve and bf16's. */
async function inSubstitute(golden: GoldenCase<Params>, dir: string): Promise<CaseResult> {
  const { losses } = await trained(golden, dir);
  const exact = { atol: 0, rtol: 0.01 };
  return {
    comparisons: [compare('loss of fp32', list(losses), golden.array('out.loss_fp32'), exact)],
  };
}

async function trained(golden: GoldenCase<Params>, dir: string) {
  const { model: file, node, init_seed, existing_file } = golden.params;
  const area = 'training/train-lora-node';
  const path = await gunzipped(modelFile(dir, area, file));
  const model = await diffusionModelOf(await openSafetensors(path), families);
  const positive: ConditioningEntry[] = [];
  for (let i = 0; golden.has(`in.cond.${i}`); i++) {
    const pooled = golden.optional(`in.pooled.${i}`);
    positive.push({ cross: golden.array(`in.cond.${i}`), ...(pooled && { pooled }) });
  }
  return trainLora(
    model,
    { latents: [golden.array('in.latents')], positive },
    {
      batchSize: node.batch_size,
      accumulation: node.grad_accumulation_steps,
      steps: node.steps,
      rate: node.learning_rate,
      rank: node.rank,
      optimizer: node.optimizer,
      loss: node.loss_function,
      seed: node.seed,
      algorithm: node.algorithm,
      recompute: node.gradient_checkpointing,
      begin: new TorchGenerator(init_seed),
      ...(existing_file !== undefined && {
        existing: await openSafetensors(modelFile(dir, area, existing_file)),
      }),
    },
    { runtime },
  );
}
