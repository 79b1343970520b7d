/** Golden area `dit-2026`: diffusion transformers of 2026 and their text encoders. */
import type { GoldenArea } from '../area.ts';
import { transformerArea } from '../dit/run.ts';
import { tokenFamilies2026 } from '../sequence-tokens.ts';
import { runEncoderCase } from './llm-encoders.ts';

const transformers = transformerArea('dit-2026');

export const area: GoldenArea = {
  ...transformers,
  run: (dir, name) =>
    /^(qwen3|mistral3|tokens)_/.test(name)
      ? runEncoderCase(dir, name, tokenFamilies2026)
      : transformers.run(dir, name),
};
