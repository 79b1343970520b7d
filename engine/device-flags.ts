/** Which devices models run on and how much of their memory: our flag, and ComfyUI's that mean the same. */
import { NoodleError } from './errors.ts';
import {
  type Values,
  decimal,
  flag,
  integer,
  optionalNumber,
  text,
  texts,
  toggle,
} from './flags.ts';

const GB = 1024 ** 3;

export const DEVICES = {
  device: texts(
    '--device <NAME...>',
    'auto, cpu, webgpu[:N] or cuda[:N]; each one named gets engines of its own',
  ),
};

/** ComfyUI's names, in the order in which the first one given counts. */
export const COMFY_DEVICES = {
  cpu: toggle('--cpu', 'same as --device cpu'),
  directml: flag('--directml [N]', 'same as --device webgpu[:N]', (given?: true | string) => given),
  cudaDevice: text(
    '--cuda-device <ID>',
    'NVIDIA cards by number, with commas between: CUDA where it is installed, else WebGPU',
  ),
  defaultDevice: optionalNumber('--default-device <ID>', 'one NVIDIA card', integer(0, 999)),
};

export const VRAM = {
  gpuOnly: toggle('--gpu-only', 'same as --highvram'),
  highvram: toggle('--highvram', "models may take 95 % of the card's own memory"),
  normalvram: toggle('--normalvram', '90 %, as when nothing is said'),
  lowvram: toggle('--lowvram', '45 %: what does not fit runs in parts'),
  novram: toggle('--novram', '20 %'),
  reserveVram: optionalNumber('--reserve-vram <GB>', 'left to other programs', decimal(0), GB),
  vramHeadroom: optionalNumber('--vram-headroom <GB>', 'left free besides', decimal(0), GB),
};

type Wish = Values<typeof DEVICES> & Values<typeof COMFY_DEVICES>;

/** What the flags say, in the flags' order of precedence. */
const READ: readonly (readonly [
  name: string,
  read: (wish: Wish) => readonly string[] | undefined,
])[] = [
  ['--device', ({ device }) => (device.length > 0 ? device : undefined)],
  ['--cpu', ({ cpu }) => (cpu ? ['cpu'] : undefined)],
  [
    '--directml',
    ({ directml }) =>
      directml === undefined ? undefined : [directml === true ? 'webgpu' : `webgpu:${directml}`],
  ],
  ['--cuda-device', ({ cudaDevice }) => cudaDevice?.split(',').map(cardName)],
  [
    '--default-device',
    ({ defaultDevice }) => (defaultDevice === undefined ? undefined : [`nvidia:${defaultDevice}`]),
  ],
];

const cardName = (id: string): string => (id.trim() === 'all' ? 'auto' : `nvidia:${id.trim()}`);

/** The devices named, `auto` when none is, and what to say of flags that another one overrules. */
export function deviceNames(wish: Wish): {
  readonly devices: readonly string[];
  readonly notices: readonly string[];
} {
  const given = READ.flatMap(([name, read]) => {
    const devices = read(wish);
    return devices === undefined ? [] : [{ name, devices }];
  });
  const [first, ...others] = given;
  return {
    devices: first?.devices ?? ['auto'],
    notices: others.map(({ name }) => `${name} has no effect beside ${first.name}`),
  };
}

/** The share of a card's own memory by flag. */
const SHARES = {
  gpuOnly: 0.95,
  highvram: 0.95,
  normalvram: 0.9,
  lowvram: 0.45,
  novram: 0.2,
} as const;

/** How much of a card's memory models may take. Throws BAD_INPUT for more than one share. */
export function vramOf(given: Values<typeof VRAM>): { share: number; reserve: number } {
  const named = Object.entries(SHARES).filter(([name]) => given[name as keyof typeof SHARES]);
  if (named.length > 1) {
    throw new NoodleError('BAD_INPUT', {
      subject: '--gpu-only, --highvram, --normalvram, --lowvram, --novram',
      expected: 'one of them',
      got: `${named.length}`,
    });
  }
  const { reserveVram = 0, vramHeadroom = 0 } = given;
  return { share: named[0]?.[1] ?? SHARES.normalvram, reserve: reserveVram + vramHeadroom };
}
