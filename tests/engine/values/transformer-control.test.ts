/** ControlNets of transformers against ComfyUI 0.3.64 (`qwen_fun`: 0.33): small models of weights that both sides make. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type NDArray, nd } from '../../../engine/array/nd.ts';
import { createRuntime } from '../../../engine/runtime/runtime.ts';
import { keptPart } from '../../../engine/values/kept-part.ts';
import type { Conditioning } from '../../../engine/values/conditioning.ts';
import { loadControlNet } from '../../../engine/values/load-control.ts';
import { type Application, withControl } from '../../../engine/values/control.ts';
import { floatTensor } from '../../../engine/weights/write.ts';
import { compare } from '../../golden/area.ts';
import { openCase } from '../../golden/open-case.ts';
import { goldenFiles, ownGoldenDir } from '../../support/golden.ts';
import {
  type HashedCase,
  hashedArray,
  hashedEntry,
  hashedModel,
  predictHashed,
} from '../../support/hashed-model.ts';
import { type Shapes, unitNumbers, writeHashed } from '../../support/hashed-weights.ts';
import { toyVae } from '../../support/toy-vae.ts';

interface Case extends HashedCase {
  /** Shapes of the ControlNet's weights. */
  readonly net: Shapes;
  readonly image: readonly number[];
  readonly mask?: readonly number[];
  readonly type?: number;
  readonly control_type?: number;
  readonly video: boolean;
  readonly vae: boolean;
  readonly strength: number;
}

const runtime = createRuntime({ threads: 1 });
const folder = mkdtempSync(join(tmpdir(), 'noodle-control-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The case's ControlNet as a file. */
function fileOf({ name, net, control_type: stated }: Case): string {
  const more: Readonly<Record<string, ReturnType<typeof floatTensor>>> =
    stated === undefined ? {} : { control_type: floatTensor(Float32Array.of(stated), [1]) };
  return writeHashed(join(folder, `${name}.safetensors`), net, more);
}

/** A prediction with the case's ControlNet, applied as `how` says, and once more for each of `others`. */
async function predicted(
  params: Case,
  how: Partial<Application> = {},
  others: readonly Partial<Application>[] = [],
): Promise<NDArray> {
  const { name, type, mask, strength } = params;
  const loaded = await loadControlNet(fileOf(params));
  const net = typeof type === 'number' ? { ...loaded, type } : loaded;
  const image = hashedArray(`${name}.image`, [1, ...params.image, 3], 1, 0.5);
  const area = [1, ...(mask ?? [])];
  const painted = unitNumbers(`${name}.mask`, area).map((u) => (u > 0 ? 1 : 0));
  const hint = mask ? keptPart(image, nd(painted, area)) : { image };
  const vae = params.vae ? toyVae(params.video) : null;
  const application = { net, strength, vae, ...hint, ...how };
  const [[entry]] = [{}, ...others].reduce<readonly Conditioning[]>(
    (lists, other) => withControl(lists, { ...application, ...other }),
    [[hashedEntry(params)]],
  );
  return predictHashed(await hashedModel(params), params, entry, runtime);
}

describe('ControlNets of transformers', () => {
  const dir = ownGoldenDir('transformer-control');
  for (const file of goldenFiles(dir, '.safetensors')) {
    test(basename(file, '.safetensors'), async () => {
      const golden = await openCase<Case>(join(dir, file));
      const got = await predicted(golden.params);
      const result = compare('out', got, golden.array('out'), { atol: 2e-5, rtol: 1e-4 });
      expect(result).toMatchObject({ pass: true });
    });
  }

  const caseOf = async (name: string): Promise<Case> =>
    (await openCase<Case>(join(dir, `${name}.safetensors`))).params;

  test('outside its part of the run it changes nothing', async () => {
    const params = await caseOf('flux_union');
    const [late, none] = [
      await predicted(params, { startPercent: 1 }),
      await predicted(params, { strength: 0 }),
    ];
    expect(compare('late', late, none, { atol: 0, rtol: 0 }).pass).toBe(true);
  });

  test('two of them add up, also outside their parts of the run', async () => {
    const params = await caseOf('flux_union');
    const one = await predicted(params);
    const twice = await predicted(params, { strength: params.strength / 2 }, [{}]);
    expect(compare('twice', twice, one, { atol: 2e-5, rtol: 1e-4 }).pass).toBe(true);
    const beside = await predicted(params, {}, [{ startPercent: 1 }]);
    expect(compare('beside', beside, one, { atol: 2e-5, rtol: 1e-4 }).pass).toBe(true);
  });

  test('what does not fit is said by name', async () => {
    const params = await caseOf('flux_union');
    await expect(predicted(params, { vae: null })).rejects.toThrow(
      /the ControlNet .*flux_union.*expected a VAE at the node that applies it, got none/,
    );
    const { main } = await caseOf('qwen_union');
    await expect(predicted({ ...params, main, x: [1, 16, 1, 8, 8] })).rejects.toThrow(
      /the ControlNet .*flux_union.*expected/,
    );
    const { main: narrow } = await caseOf('sd3_instantx');
    await expect(predicted({ ...params, main: narrow })).rejects.toThrow(
      /it was made for other models/,
    );
  });
});
