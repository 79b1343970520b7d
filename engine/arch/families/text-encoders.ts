/** The text encoders of the families: which there are, and how their outputs are joined. */
import { concat, sliceAxis } from '../../array/batch.ts';
import type { NDArray } from '../../array/nd.ts';
import type { ConditioningEntry } from '../../sampling/conditioning.ts';
import type { ClipSpec, EncodedText, TextSetup } from '../family.ts';

/** CLIP-L as SD1 uses it: the last layer with its norm. */
export const clipL: ClipSpec = {
  kind: 'clip',
  name: 'clip_l',
  activation: 'quickGelu',
  layer: -1,
  finalNorm: true,
  projected: false,
  pad: 'end',
  maskPadding: false,
};

/** OpenCLIP H as SD2 uses it: the penultimate layer, normed. */
export const clipH: ClipSpec = {
  kind: 'clip',
  name: 'clip_h',
  shortened: 23,
  activation: 'gelu',
  layer: -2,
  finalNorm: true,
  projected: true,
  pad: 'zero',
  maskPadding: false,
};

/** OpenCLIP bigG as SDXL uses it: the penultimate layer, unnormed. */
export const clipG: ClipSpec = {
  kind: 'clip',
  name: 'clip_g',
  activation: 'gelu',
  layer: -2,
  finalNorm: false,
  projected: true,
  pad: 'zero',
  maskPadding: false,
};

/** CLIP-L as SDXL uses it: the penultimate layer, unnormed. */
export const clipLOfXl: ClipSpec = { ...clipL, layer: -2, finalNorm: false };

/** CLIP-G as Stable Cascade uses it: last layer, unnormed, padding hidden. */
export const clipGOfCascade: ClipSpec = { ...clipG, layer: -1, pad: 'end', maskPadding: true };

/** The CLIPs that files may hold, told apart by their layers (12, 24, 32 in the released ones). */
export const clipsByLayers: readonly { readonly atLeast: number; readonly spec: ClipSpec }[] = [
  { atLeast: 31, spec: clipG },
  { atLeast: 23, spec: clipH },
  { atLeast: 1, spec: clipL },
];

/** Hidden states side by side on channels, cut to the shortest; pooled is that of one encoder. */
export function joinedOnChannels(
  encoders: TextSetup['encoders'],
  { pooledFrom }: { readonly pooledFrom: number },
): TextSetup {
  return {
    encoders,
    join(outputs) {
      const present = encoders.map(({ name }) => outputs[name]!);
      return { cross: onChannels(present), pooled: present[pooledFrom].pooled };
    },
  };
}

/** Hidden states side by side on channels, cut to the shortest. */
export function onChannels(outputs: readonly EncodedText[]): NDArray {
  const length = Math.min(...outputs.map(({ hidden }) => hidden.shape[1]));
  const parts = outputs.map(({ hidden }) =>
    hidden.shape[1] === length ? hidden : sliceAxis(hidden, 1, 0, length),
  );
  return parts.length === 1 ? parts[0] : concat(parts, 2);
}

/** A single encoder's outputs as they are; of padding the network hears where the encoder says so. */
export const alone = (encoder: TextSetup['encoders'][number]): TextSetup => ({
  encoders: [encoder],
  join(outputs) {
    const { hidden, pooled, mask } = outputs[encoder.name]!;
    return { cross: hidden, pooled, ...told({ attention_mask: mask }) };
  },
});

/** What else a network reads of the text, where there is any. */
export function told(
  values: Readonly<Record<string, NDArray | undefined>>,
): Pick<ConditioningEntry, 'extra'> {
  const present = Object.entries(values).filter(([, value]) => value !== undefined);
  return present.length > 0 ? { extra: Object.fromEntries(present) } : {};
}
