import { join } from 'node:path';
import { expect, test } from 'vitest';
import { families } from '../../engine/arch/families/index.ts';
import { zeros } from '../../engine/array/nd.ts';
import { createRuntime } from '../../engine/runtime/runtime.ts';
import type { Conditioning } from '../../engine/values/conditioning.ts';
import type { Gligen, TextBoxes } from '../../engine/values/gligen.ts';
import { loadCheckpoint } from '../../engine/values/load-checkpoint.ts';
import { gligenNodes, gligenTextBoxApply } from '../../nodes/gligen.ts';
import { contextWith, runNode } from '../golden/pictures/run-node.ts';
import { assertLikeReference } from '../support/object-info.ts';

test.each(gligenNodes.map((node) => [node.name, node] as const))(
  '%s prints like the reference',
  (_, node) => assertLikeReference(node),
);

test('boxes are kept in cells, behind those before', async () => {
  const path = join(import.meta.dirname, '../../models/checkpoints/tiny-scenes.safetensors');
  const runtime = createRuntime({ threads: 1 });
  const { clip } = await loadCheckpoint(path, families);
  const folders = { embedding: () => undefined };
  const context = { ...contextWith(), services: { runtime, folders } };
  const gligen = { source: { label: 'g' }, config: { textWidth: 128, blocks: [] } };
  const box = { gligen_textbox_model: gligen as unknown as Gligen, text: 'cat', width: 65 };
  const place = { clip, height: 40, x: 8, y: 23, ...box };
  const apply = async (conditioning_to: Conditioning) => {
    const [entries] = await runNode(gligenTextBoxApply, { conditioning_to, ...place }, context);
    return entries as Conditioning;
  };
  const once = await apply([{ cross: zeros([1, 77, 128]) }]);
  const [entry] = await apply(once);
  const { boxes, spreads } = entry.changes!.gligen as TextBoxes;
  expect(spreads).toBe(true);
  expect(boxes).toHaveLength(2);
  expect(boxes[0]).toMatchObject({ height: 5, width: 8, x: 1, y: 2 });
  expect(boxes[0].text.shape).toEqual([1, 128]);
  await runtime.unloadAll();
});
