/** Biases of attention in a network, against ComfyUI 0.3.64. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createRuntime } from '../../../engine/runtime/runtime.ts';
import { biasTokens } from '../../../engine/values/attention-bias.ts';
import { compare } from '../../golden/area.ts';
import { openCase } from '../../golden/open-case.ts';
import { ownGoldenDir } from '../../support/golden.ts';
import {
  type HashedCase,
  hashedEntry,
  hashedModel,
  predictHashed,
} from '../../support/hashed-model.ts';

interface Case extends HashedCase {
  /** How many of the text's tokens, the last ones, are paid `weight` times the attention. */
  readonly added: number;
  readonly weight: number;
}

test('Flux pays tokens of a style less attention', async () => {
  const path = join(ownGoldenDir('attention-bias'), 'flux.safetensors');
  const { params, array } = await openCase<Case>(path);
  const { added, weight } = params;
  const entry = hashedEntry(params);
  const [rows, tokens] = entry.cross.shape;
  const bias = biasTokens(undefined, { rows, text: tokens - added, added, weight });
  const told = { ...entry, extra: { ...entry.extra, attention_bias: bias } };
  const runtime = createRuntime({ threads: 1 });
  const got = await predictHashed(await hashedModel(params), params, told, runtime);
  const result = compare('out', got, array('out'), { atol: 2e-5, rtol: 1e-4 });
  expect(result).toMatchObject({ pass: true });
});
