import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { families } from '../../engine/arch/families/index.ts';
import { createRuntime } from '../../engine/runtime/runtime.ts';
import { loadCheckpoint } from '../../engine/values/load-checkpoint.ts';
import { clipTextEncode, conditioningNodes } from '../../nodes/conditioning.ts';
import { contextWith, runNode, withFolders } from '../golden/pictures/run-node.ts';
import { assertLikeReference, referenceNodeNames } from '../support/object-info.ts';

const known = conditioningNodes.filter(({ name }) => referenceNodeNames().includes(name));

test.each(known.map((node) => [node.name, node] as const))(
  '%s prints like the reference',
  (_, node) => {
    assertLikeReference(node);
  },
);

const checkpoint = join(import.meta.dirname, '../../models/checkpoints/tiny-scenes.safetensors');

test('embeddings that are left out are named on the node and in the log', async () => {
  const { clip } = await loadCheckpoint(checkpoint, families);
  const runtime = createRuntime({ threads: 1 });
  await withFolders(async (folders) => {
    const folder = join(folders.directory('input'), '../models/embeddings');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'broken.safetensors'), 'no header');
    const header = JSON.stringify({ v: { dtype: 'F32', shape: [1, 4], data_offsets: [0, 16] } });
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    const narrow = Buffer.concat([length, Buffer.from(header), Buffer.alloc(16)]);
    writeFileSync(join(folder, 'narrow.safetensors'), narrow);
    const shown: string[] = [];
    const logged: string[] = [];
    const log = (level: string, text: string) => logged.push(`${level} ${text}`);
    const context = {
      ...contextWith(),
      services: { runtime, folders, log },
      sendText: (text: string) => shown.push(text),
    };
    const text =
      'a cat embedding:broken, and embedding:nowhere again embedding:broken embedding:narrow';
    await runNode(clipTextEncode, { text, clip }, context);
    const [broken, missing, narrower] = shown.at(-1)!.split('\n');
    expect(broken).toMatch(/^embedding 'broken' could not be read and is left out: .*broken/);
    expect(missing).toBe("embedding 'nowhere' does not exist and is left out");
    expect(narrower).toBe(
      "embedding 'narrow' is for another text encoder (of width 4, clip_l takes 128) and is left out",
    );
    expect(shown.join()).not.toContain(folder);
    expect(logged).toContain(`WARNING ${broken}`);
    expect(logged).toContain(`WARNING ${missing}`);
  });
  await runtime.unloadAll();
});
