/** What a job trains: its model with everything that pictures and captions need to become what it sees. */
import { statSync } from 'node:fs';
import { LRUCache } from 'lru-cache';
import type { NDArray } from '../../array/nd.ts';
import { families } from '../../arch/families/index.ts';
import { NoodleError } from '../../errors.ts';
import type { ConditioningEntry } from '../../sampling/conditioning.ts';
import { processIn } from '../../sampling/latent/process.ts';
import {
  type Clip,
  type PromptTokens,
  encodePromptTokens,
  requireClip,
  tokenizePrompt,
} from '../../values/clip.ts';
import {
  type Checkpoint,
  loadCheckpoint,
  loadDiffusionModel,
  loadTextEncoders,
  loadVae,
} from '../../values/load-checkpoint.ts';
import { loadDiffusers } from '../../values/load-diffusers.ts';
import { openLora, withLora } from '../../values/lora.ts';
import { type Model, diffusion } from '../../values/model.ts';
import { type Vae, encode, requireVae } from '../../values/vae.ts';
import { cached, latentPlace } from '../data/cache.ts';
import type { Batch, Sample } from '../data/order.ts';
import { pictureOf } from '../data/pictures.ts';
import type { TrainingJob } from '../job/job.ts';
import type { predictions } from '../objective/targets.ts';
import type { TrainingHost } from './host.ts';

export interface Subject {
  readonly model: Model;
  readonly clip: Clip;
  readonly vae: Vae;
  readonly prediction: keyof typeof predictions;
  readonly tokensOf: (caption: string) => PromptTokens;
  /** A caption as the network is told it, by the text encoders before training or by `clip`. */
  readonly textOf: (caption: string, clip?: Clip) => Promise<ConditioningEntry>;
  /** A picture of a set as the network has it: [1, c, ...]. */
  readonly latentOf: (set: Batch['set'], sample: Sample) => Promise<NDArray>;
}

/** Captions whose encodings are remembered. */
const mostTexts = 2000;
/** Bytes of encoded pictures that are remembered; the others are encoded, or read, again. */
const mostLatents = 2 ** 30;

/** Opens what the job's `model` names. Throws what opening files throws, and UNSUPPORTED for models that predict otherwise. */
export async function openSubject(
  { model: said, train }: TrainingJob,
  host: TrainingHost,
): Promise<Subject> {
  const whole = await openWhole(said.nameOrPath);
  const unet = said.unetPath;
  const opened = unet === undefined ? whole.model : await loadDiffusionModel(unet, families);
  const bare = said.isVPred
    ? { ...opened, sampling: { ...opened.sampling, prediction: 'v' as const } }
    : opened;
  const { teNameOrPath: texts, vaePath, loraPath } = said;
  const encoders = requireClip(texts === undefined ? whole.clip : await loadTextEncoders([texts]));
  const plain = { model: bare, clip: encoders };
  const { model, clip } =
    loraPath === undefined
      ? plain
      : withLora(plain, await openLora(loraPath), { model: 1, clip: 1 }, host.log);
  const vae = requireVae(vaePath === undefined ? whole.vae : await loadVae(vaePath));
  const prediction = predictionOf(model);
  const expected = prediction === 'flow' ? 'flowmatch' : 'ddpm';
  if (train.noiseScheduler !== expected) {
    throw new NoodleError('BAD_INPUT', {
      subject: 'train.noise_scheduler',
      expected: `${expected}, which ${model.family.title} is trained with`,
      got: train.noiseScheduler,
    });
  }
  const run = { runtime: host.runtime };
  const { latentFormat } = diffusion(model, run);
  const known = new LRUCache<string, ConditioningEntry>({ max: mostTexts });
  const latents = new LRUCache<string, NDArray>({
    maxSize: mostLatents,
    sizeCalculation: ({ data }) => Math.max(1, data.byteLength),
  });
  const tokensOf = (caption: string): PromptTokens =>
    tokenizePrompt(clip, caption, { ...run, folders: host.folders, log: host.note });
  return {
    model,
    clip,
    vae,
    prediction,
    tokensOf,
    async textOf(caption, by = clip) {
      if (by !== clip) return encodePromptTokens(by, tokensOf(caption), run);
      let text = known.get(caption);
      if (!text) {
        text = await encodePromptTokens(clip, tokensOf(caption), run);
        known.set(caption, text);
      }
      return text;
    },
    async latentOf(set, sample) {
      const key = placeOf(sample);
      let latent = key === undefined ? undefined : latents.get(key);
      if (!latent) {
        const make = async (): Promise<{ latent: NDArray }> => ({
          latent: await encode(vae, await pictureOf(sample), run),
        });
        const kept = set.settings.cacheLatentsToDisk
          ? await cached(await latentPlace(set, sample, { space: vae.source.identity }), make)
          : await make();
        latent = kept.latent;
        if (key !== undefined) latents.set(key, latent);
      }
      return processIn(latentFormat, latent);
    },
  };
}

/** Tells pieces of pictures apart; undefined for one that hardly comes again, because crops move about. */
function placeOf({ item, placement }: Sample): string | undefined {
  if (placement !== item.placement) return undefined;
  return JSON.stringify([item.path, item.flipX, item.flipY, placement]);
}

/** A file, or a folder of the diffusers library. */
async function openWhole(path: string): Promise<Checkpoint> {
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  if (!isFolder) return loadCheckpoint(path, families);
  return loadDiffusers(path, { modelFile: (_kind, name) => name }, families);
}

function predictionOf({ sampling: { prediction }, family }: Model): Subject['prediction'] {
  if (prediction === 'eps' || prediction === 'v' || prediction === 'flow') return prediction;
  throw new NoodleError('UNSUPPORTED', {
    what: `training of ${family.title}, which predicts ${prediction}`,
  });
}
