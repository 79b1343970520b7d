/** Training a LoRA in a workflow, and what becomes of it: put on a model, or saved. */
import {
  boolean,
  combo,
  conditioning,
  float,
  inModule,
  int,
  int64,
  latent,
  model,
  optional,
  socket,
  string,
} from '../engine/node.ts';
import type { Context, Model, NodeDefinition } from '../engine/node.ts';
import type { LoraModel } from '../engine/training/lora-model.ts';
import { workflowInputs } from './image-io.ts';
import { networkRun } from './prompt-run.ts';
import { savable } from './save-prefix.ts';

const define = inModule('comfy_extras.nodes_train', 'v1', { experimental: true });

const NO_FILE = '[None]';
const PREFIX_TOLD = 'How the file is called, in front of its number.';
const STEPS_TOLD = 'How far it was trained; is in the name of the file.';
const PREFIX = 'loras/ComfyUI_trained_lora';
const MAX_SEED = 0xffffffffffffffffn;

const count = (standard: number, max: number, tooltip: string, step?: number) =>
  int({ default: standard, min: 1, max, ...(step && { step }), tooltip });

const loraModel = (tooltip: string) =>
  socket<LoraModel>('LORA_MODEL', { tooltip }, ['tensors', 'type', 'facts']);

/** The model with the LoRA on it, as a loader of its file would put it there. */
async function withTrained(
  model: Model,
  lora: LoraModel,
  strength: number,
  { services }: Context,
): Promise<Model> {
  const [{ asFile }, { withLora }] = await Promise.all([
    import('../engine/training/lora-model.ts'),
    import('../engine/values/lora.ts'),
  ]);
  const warn = (message: string) => services.log?.('WARNING', message);
  const file = await asFile(lora);
  return withLora({ model, clip: undefined }, file, { model: strength, clip: 0 }, warn).model;
}

/** A file that training goes on from, and the steps that it holds; none for the choice of no file. */
async function existing(name: string, { services }: Context) {
  if (name === NO_FILE) return { source: undefined, steps: 0 };
  const [{ openSource }, { stepsDone }] = await Promise.all([
    import('../engine/weights/open.ts'),
    import('../engine/training/lora-model.ts'),
  ]);
  const source = await openSource(services.folders.modelFile('loras', name));
  return { source, steps: stepsDone(source, name) };
}

export const trainLora = define({
  name: 'TrainLoraNode',
  displayName: 'Train LoRA',
  category: 'training',
  description: 'Trains a LoRA on latents and their captions, all layers of the diffusion model.',
  inputIsList: true,
  inputs: {
    model: model({ tooltip: 'The diffusion model that the LoRA is for; it stays as it is.' }),
    latents: latent({ tooltip: 'What is learnt: the pictures, encoded.' }),
    positive: conditioning({ tooltip: 'A caption for each latent, or one for all of them.' }),
    batch_size: count(1, 10000, 'How many latents each pass looks at.', 1),
    grad_accumulation_steps: count(1, 1024, 'How many passes are added up for a step.', 1),
    steps: count(16, 100000, 'How often the LoRA is changed.'),
    learning_rate: float({
      default: 0.0005,
      min: 1e-7,
      max: 1,
      step: 1e-6,
      tooltip: 'How far a step goes.',
    }),
    rank: count(8, 128, 'Rank of LoRA and LoHa, factor of LoKr, block size of OFT.'),
    optimizer: combo(['AdamW', 'Adam', 'SGD', 'RMSprop'], {
      default: 'AdamW',
      tooltip: 'How gradients become steps.',
    }),
    loss_function: combo(['MSE', 'L1', 'Huber', 'SmoothL1'], {
      default: 'MSE',
      tooltip: 'How predictions are held against the latents.',
    }),
    seed: int64({
      default: 0,
      min: 0,
      max: MAX_SEED,
      tooltip: 'Of the first adapters, the noise and the order of the latents.',
    }),
    training_dtype: combo(['bf16', 'fp32', 'none'], {
      default: 'bf16',
      tooltip: 'Here everything is computed in fp32.',
    }),
    lora_dtype: combo(['bf16', 'fp32'], {
      default: 'bf16',
      tooltip: 'What the finished LoRA is rounded to; it is trained in fp32.',
    }),
    algorithm: combo(['LoRA', 'LoHa', 'LoKr', 'OFT'], {
      default: 'LoRA',
      tooltip: 'The kind of adapter.',
    }),
    gradient_checkpointing: boolean({
      default: true,
      tooltip: 'Takes less memory and more time; the result is the same.',
    }),
    existing_lora: combo((source) => [...source.modelFiles('loras'), NO_FILE], {
      default: NO_FILE,
      tooltip: 'A LoRA that training goes on from.',
    }),
    // Of 0.33. What saves memory there changes no result, and has no need to be done here.
    quantized_backward: optional(boolean({ default: false })),
    checkpoint_depth: optional(int({ default: 1, min: 1, max: 5 })),
    offloading: optional(boolean({ default: false })),
    bucket_mode: optional(boolean({ default: false })),
    bypass_mode: optional(boolean({ default: false })),
  },
  outputs: [
    { type: 'MODEL', name: 'model_with_lora' },
    { type: 'LORA_MODEL', name: 'lora' },
    { type: 'LOSS_MAP', name: 'loss' },
    { type: 'INT', name: 'steps' },
  ],
  run: async (inputs, context) => {
    const { services, progress, sendText } = context;
    const [{ trainLora }, { networkFacts }] = await Promise.all([
      import('../engine/training/train-lora.ts'),
      import('../engine/training/lora-model.ts'),
    ]);
    const [model] = inputs.model;
    const [training, type] = [inputs.training_dtype[0], inputs.lora_dtype[0]];
    if (training !== 'fp32' || type !== 'fp32') {
      const said = `training_dtype ${training}, lora_dtype ${type}`;
      services.log?.('INFO', `TrainLoraNode: ${said} -> computed in fp32, handed out as ${type}`);
    }
    if (inputs.quantized_backward?.[0]) {
      services.log?.(
        'INFO',
        'TrainLoraNode: quantized_backward is left out, all is computed in fp32',
      );
    }
    const { source, steps: done } = await existing(inputs.existing_lora[0], context);
    const [rank] = inputs.rank;
    const [algorithm] = inputs.algorithm;
    const [steps] = inputs.steps;
    const { tensors, losses } = await trainLora(
      model,
      {
        latents: inputs.latents.map(({ samples }) => samples),
        positive: inputs.positive.flat(),
        bucketed: inputs.bucket_mode?.[0] ?? false,
      },
      {
        batchSize: inputs.batch_size[0],
        accumulation: inputs.grad_accumulation_steps[0],
        steps,
        rate: inputs.learning_rate[0],
        rank,
        optimizer: inputs.optimizer[0],
        loss: inputs.loss_function[0],
        seed: inputs.seed[0],
        algorithm,
        recompute: inputs.gradient_checkpointing[0],
        ...(source && { existing: source }),
      },
      {
        ...networkRun(context),
        heard: (step, total, loss) => {
          sendText(`loss: ${loss.toFixed(4)}`);
          progress(step, total);
        },
      },
    );
    const { family, config, sampling } = model;
    const lora: LoraModel = {
      tensors,
      type: type === 'bf16' ? 'BF16' : 'F32',
      facts: {
        model: { family, config, sampling },
        step: steps + done,
        network: networkFacts(algorithm, rank, source),
      },
    };
    const changed = await withTrained(model, lora, 1, context);
    return [changed, lora, { loss: losses }, steps + done];
  },
});

export const loraModelLoader = define({
  name: 'LoraModelLoader',
  displayName: 'Load LoRA Model',
  category: 'loaders',
  description: 'Puts a LoRA that was trained in this workflow on a diffusion model.',
  inputs: {
    model: model({ tooltip: 'The diffusion model the LoRA is put on.' }),
    lora: loraModel('The LoRA, from Train LoRA.'),
    strength_model: float({
      default: 1,
      min: -100,
      max: 100,
      step: 0.01,
      tooltip: 'How strongly the diffusion model is changed. May be negative.',
    }),
  },
  outputs: [{ type: 'MODEL', tooltip: 'The changed diffusion model.' }],
  run: async ({ model, lora, strength_model: strength }, context) => [
    strength === 0 ? model : await withTrained(model, lora, strength, context),
  ],
});

export const saveLora = define({
  name: 'SaveLoRANode',
  displayName: 'Save LoRA Weights',
  category: 'loaders',
  description: 'Saves a trained LoRA below the output folder, from where LoRA loaders can load it.',
  inputs: {
    lora: loraModel('The LoRA, from Train LoRA.'),
    prefix: string({ default: PREFIX, tooltip: PREFIX_TOLD }),
    steps: optional(int({ forceInput: true, tooltip: STEPS_TOLD })),
  },
  outputs: [],
  outputNode: true,
  validate: savable('.safetensors', 'prefix'),
  run: async ({ lora, prefix, steps }, { services: { folders } }) => {
    const { encodeLoraModel } = await import('../engine/training/lora-model.ts');
    const target = folders.saveTarget(prefix, 'output');
    const { filename: name } = target;
    const bytes = encodeLoraModel(lora, { name, step: steps });
    const tail = (counter: number): string => `${String(counter).padStart(5, '0')}_`;
    const nameOf = (counter: number): string =>
      steps === undefined ? `${name}_${tail(counter)}` : `${name}_${steps}_steps_${tail(counter)}`;
    folders.writeNumbered({ ...target, nameOf }, '.safetensors', bytes);
    return {};
  },
});

/** What the same is called since 0.33. */
export const saveLora33: NodeDefinition = {
  ...saveLora,
  name: 'SaveLoRA',
  form: 'v3',
  category: 'model/merging',
  inputs: {
    lora: saveLora.inputs.lora,
    prefix: string({ default: PREFIX, multiline: false, tooltip: PREFIX_TOLD }),
    steps: optional(int({ tooltip: STEPS_TOLD })),
  },
  hidden: workflowInputs,
};

export const trainingLoraNodes: readonly NodeDefinition[] = [
  trainLora,
  loraModelLoader,
  saveLora,
  saveLora33,
];
