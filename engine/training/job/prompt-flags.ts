/** Settings behind a prompt: `a fox --w 768 --seed 3`. */

/** Flag -> the key of a sample that it sets, and whether that is a number. */
const FLAGS: Readonly<Record<string, readonly [key: string, isNumber: boolean]>> = {
  n: ['neg', false],
  n2: ['neg_2', false],
  p2: ['prompt_2', false],
  w: ['width', true],
  h: ['height', true],
  d: ['seed', true],
  seed: ['seed', true],
  l: ['guidance_scale', true],
  cfg: ['guidance_scale', true],
  s: ['sample_steps', true],
  steps: ['sample_steps', true],
  m: ['network_multiplier', true],
  network_multiplier: ['network_multiplier', true],
  gr: ['guidance_rescale', true],
  a: ['adapter_conditioning_scale', true],
  ref: ['refiner_start_at', true],
  ev: ['extra_values', false],
  extra_values: ['extra_values', false],
  frames: ['num_frames', true],
  num_frames: ['num_frames', true],
  fps: ['fps', true],
  ctrl_img: ['ctrl_img', false],
  ctrl_idx: ['ctrl_idx', true],
};

export interface FlaggedPrompt {
  /** The text before the first `--`. */
  readonly prompt: string;
  /** What the flags set, under the keys of a sample. */
  readonly given: Readonly<Record<string, unknown>>;
  /** Flags that mean nothing. */
  readonly unknown: readonly string[];
}

/** Splits a prompt at every `--`; numbers that are none stay text, for the reader of the key to complain of. */
export function splitFlags(text: string): FlaggedPrompt {
  const [prompt, ...flags] = text.split('--');
  const given: Record<string, unknown> = {};
  const unknown: string[] = [];
  for (const flag of flags) {
    const [, name, value] = /^(\S*)\s*([\s\S]*)$/.exec(flag.trim())!;
    const row = Object.hasOwn(FLAGS, name) ? FLAGS[name] : undefined;
    if (row === undefined) unknown.push(name);
    else given[row[0]] = row[1] && value !== '' ? numberOr(value) : value;
  }
  return { prompt: flags.length === 0 ? text : prompt.trim(), given, unknown };
}

function numberOr(text: string): number | string {
  const value = Number(text);
  return Number.isNaN(value) ? text : value;
}
