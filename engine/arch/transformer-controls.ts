/** The control networks of diffusion transformers that this program can run, and which one a file holds. */
import type { Weights } from '../tensor/cursor.ts';
import { fluxControlNet } from './flux-controlnet.ts';
import { mmditControlNet } from './mmdit-controlnet.ts';
import { qwenFunControlNet } from './qwen-fun-controlnet.ts';
import { qwenImageControlNet } from './qwen-image-controlnet.ts';
import { sd35ControlNet } from './sd35-controlnet.ts';
import type { ControlSizes, TransformerControl } from './transformer-control.ts';

const controls: readonly TransformerControl[] = [
  fluxControlNet,
  mmditControlNet,
  sd35ControlNet,
  qwenImageControlNet,
  qwenFunControlNet,
];

export interface FoundControl {
  readonly control: TransformerControl;
  readonly config: ControlSizes;
}

/** The network under `w` and what it read from shapes; undefined when it is none of these. */
export function findTransformerControl(w: Weights): FoundControl | undefined {
  for (const control of controls) {
    const config = control.detect(w);
    if (config) return { control, config };
  }
  return undefined;
}
