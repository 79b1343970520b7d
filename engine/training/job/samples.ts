/** The samples of a job: what each prompt says for itself, and what it leaves to its section. */
import type { Reading } from './findings.ts';
import { splitFlags } from './prompt-flags.ts';
import { readSection } from './read-section.ts';
import type { Values } from './row.ts';
import {
  type Sample,
  type SampleSettings,
  promptRows,
  type sampleRows,
} from './sections/sample.ts';

type SampleValues = Values<typeof sampleRows>;

/**
 * The pictures to make: `samples`, or `prompts` where there are none. Flags in a prompt come before what its sample
 * says, and that before the section. With `walk_seed` the section's seed counts up along the list. `[trigger]`
 * becomes the trigger word, which is not added.
 */
export function sampleSettings(
  values: SampleValues,
  trigger: string | undefined,
  at: string,
  found: Reading,
): SampleSettings {
  const isList = values.samples.length > 0;
  const list: readonly Readonly<Record<string, unknown>>[] = isList
    ? values.samples
    : values.prompts.map((prompt) => ({ prompt }));
  const { sampler, sampleEvery, sampleStartStep, format } = values;
  return {
    sampler,
    sampleEvery,
    sampleStartStep,
    format,
    samples: list.map((given, i) =>
      sampleOf(given, i, values, trigger, `${at}${isList ? 'samples' : 'prompts'}[${i}]`, found),
    ),
  };
}

function sampleOf(
  given: Readonly<Record<string, unknown>>,
  index: number,
  section: SampleValues,
  trigger: string | undefined,
  at: string,
  found: Reading,
): Sample {
  const text = typeof given.prompt === 'string' ? given.prompt : undefined;
  const { prompt, given: flags, unknown } = splitFlags(text ?? '');
  for (const flag of unknown) found.warnings.push(`${at}: --${flag} is no flag of a prompt`);
  const said = readSection(
    promptRows,
    { ...given, ...(text === undefined ? {} : { prompt }), ...flags },
    `${at}.`,
    found,
  );
  const seed = said.seed ?? walkedSeed(section, index);
  return {
    prompt: said.prompt.replaceAll('[trigger]', trigger ?? ''),
    negative: said.neg ?? section.neg,
    width: said.width ?? section.width,
    height: said.height ?? section.height,
    seed: seed < 0 ? 'random' : seed,
    guidanceScale: said.guidanceScale ?? section.guidanceScale,
    sampleSteps: said.sampleSteps ?? section.sampleSteps,
    guidanceRescale: said.guidanceRescale ?? section.guidanceRescale,
    networkMultiplier: said.networkMultiplier ?? section.networkMultiplier,
  };
}

const walkedSeed = ({ seed, walkSeed }: SampleValues, index: number): number =>
  walkSeed && seed >= 0 ? seed + index : seed;
