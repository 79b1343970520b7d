/**
 * What an adapter file says about itself, as strings: how far it was trained and on what (ai-toolkit's and
 * sd-scripts' keys), and Stability's model specification. Facts: spec/training.md 6.4 and 9.
 */
import { pythonStr } from '../../python/repr.ts';
import type { Model } from '../../values/model.ts';
import { programVersion } from '../../version.ts';
import { type Told, type Traits, trainedFamily } from '../modules/families.ts';
import { kohyaDatasetKeys, kohyaKeys } from './kohya-keys.ts';

/** Picture folder -> tag -> in how many captions. */
export type TagFrequency = Readonly<Record<string, Readonly<Record<string, number>>>>;

export interface AdapterFacts {
  readonly model: Pick<Model, 'family' | 'config' | 'sampling'>;
  /** Whose names base models go by. */
  readonly trainer: 'yaml' | 'kohya';
  readonly name: string;
  /** Finished optimiser steps, and passes through the data. */
  readonly step: number;
  readonly epoch?: number;
  readonly network: NetworkFacts;
  readonly trigger?: string;
  /** Left out: of the trigger alone, where there is one. */
  readonly tagFrequency?: TagFrequency;
  /** In pixels. */
  readonly resolution?: readonly [width: number, height: number];
  /** Left out, so that the same run makes the same bytes. */
  readonly date?: Date;
  /** What sd-scripts would say besides (`learning_rate`, `seed` …); what it leaves out is said to be `None`. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** A job file's own entries. */
  readonly meta?: Readonly<Record<string, unknown>>;
}

export interface NetworkFacts {
  /** sd-scripts' name of the code (`networks.lora`, `lycoris.kohya`). */
  readonly module: string;
  readonly dim: number | null;
  readonly alpha: number | null;
  readonly args?: Readonly<Record<string, unknown>>;
}

/** All of it, without the hashes of the file (write.ts). */
export function adapterMetadata(facts: AdapterFacts): Record<string, string> {
  const { model, trainer, name, step, epoch = 0, network, settings, meta = {} } = facts;
  const row = trainedFamily(model.family.name);
  const traits: Traits = {
    v: model.sampling.prediction === 'v',
    guided:
      model.family.conditions?.(model.config).some(({ kind }) => kind === 'guidance') ?? false,
  };
  const kohyaBase = told(row.base.kohya, traits);
  const frequency = facts.tagFrequency ?? triggerFrequency(facts.trigger);
  const said: Readonly<Record<string, unknown>> = {
    ...Object.fromEntries(Object.entries(meta).map(([key, value]) => [key, json(value)])),
    training_info: { step, epoch },
    ...(settings && kohyaSettings(settings)),
    ss_v2: kohyaBase.startsWith('sd_v2'),
    ss_base_model_version: trainer === 'yaml' ? row.base.yaml : kohyaBase,
    ss_network_module: network.module,
    ss_network_dim: network.dim,
    ss_network_alpha: network.alpha,
    ss_network_args: network.args ?? null,
    ss_output_name: name,
    ...(frequency && { ss_tag_frequency: frequency }),
    'modelspec.sai_model_spec': '1.0.0',
    'modelspec.architecture': `${told(row.architecture ?? row.base.yaml, traits)}/lora`,
    'modelspec.implementation': row.implementation ?? 'diffusers',
    'modelspec.title': name,
    ...(facts.date && { 'modelspec.date': facts.date.toISOString().slice(0, 19) }),
    ...(facts.resolution && { 'modelspec.resolution': facts.resolution.join('x') }),
    ...predictionType(model.sampling.prediction),
    software: { name: 'noodle', version: programVersion() },
    format: 'pt',
  };
  return Object.fromEntries(Object.entries(said).map(([key, value]) => [key, text(value)]));
}

const told = (it: Told, traits: Traits): string => (typeof it === 'string' ? it : it(traits));

const predictions: Readonly<Record<string, string>> = { eps: 'epsilon', v: 'v' };

const predictionType = (prediction: string): Record<string, string> =>
  prediction in predictions ? { 'modelspec.prediction_type': predictions[prediction] } : {};

const json = (value: unknown): string =>
  typeof value === 'string' ? value : JSON.stringify(value);

/** As Python's `str` has it; lists and mappings as JSON. */
const text = (value: unknown): string =>
  typeof value === 'object' && value !== null ? JSON.stringify(value) : pythonStr(value);

/** Every key of sd-scripts that it writes whatever the settings; those of one data set where one is told. */
function kohyaSettings(settings: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const isOfData = kohyaDatasetKeys.some((key) => key in settings);
  const always = isOfData ? [...kohyaKeys, ...kohyaDatasetKeys] : kohyaKeys;
  const keys = new Set([...always, ...Object.keys(settings)]);
  return Object.fromEntries([...keys].map((key) => [`ss_${key}`, settings[key]]));
}

const triggerFrequency = (trigger: string | undefined): TagFrequency | undefined =>
  trigger ? Object.fromEntries([[`1_${trigger}`, Object.fromEntries([[trigger, 1]])]]) : undefined;

/** How often each tag (what stands between commas, in small letters) is in the captions of each folder. */
export function tagFrequency(
  sets: Iterable<{
    readonly folder: string;
    readonly repeats: number;
    readonly captions: Iterable<string>;
  }>,
): TagFrequency {
  const counts = new Map<string, Map<string, number>>();
  for (const { folder, repeats, captions } of sets) {
    const name = `${repeats}_${folder}`;
    const tags = counts.get(name) ?? new Map<string, number>();
    counts.set(name, tags);
    for (const tag of [...captions].flatMap((caption) => caption.split(','))) {
      const word = tag.trim().toLowerCase();
      if (word !== '') tags.set(word, (tags.get(word) ?? 0) + 1);
    }
  }
  return Object.fromEntries([...counts].map(([name, tags]) => [name, Object.fromEntries(tags)]));
}
