import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import type { Assets } from '../../../engine/assets/client.ts';
import { withAssetIds } from '../../../engine/server/asset-outputs.ts';
import { createFolders } from '../../../engine/store/folders.ts';
import type { EngineEvents } from '../../../engine/worker/link.ts';
import type { FromEngine } from '../../../engine/worker/messages.ts';

const base = mkdtempSync(join(tmpdir(), 'noodle-asset-outputs-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));

it('gives an id to the files the engine says it wrote, the same one everywhere, and to no others', () => {
  const registered: unknown[] = [];
  const assets = {
    call: (_: string, output: unknown) => (registered.push(output), Promise.resolve()),
  } as unknown as Assets;
  const folders = createFolders({ base });
  let engine: EngineEvents | undefined;
  const received: FromEngine[] = [];
  withAssetIds(
    (events) => {
      engine = events;
      return { pid: 1, send: () => undefined, kill: () => undefined };
    },
    assets,
    folders,
  )({ message: (message) => received.push(message), exit: () => undefined });

  const mine = '{"filename": "a.png", "subfolder": "in", "type": "output"}';
  const other = '{"filename": "b.png", "subfolder": "in", "type": "output"}';
  const ui = `{"images": [${mine}, ${other}], "scale": [1.0]}`;
  engine!.message({
    type: 'wrote',
    jobId: 'j',
    directory: 'output',
    subfolder: 'in',
    name: 'a.png',
  });
  engine!.message({
    type: 'event',
    jobId: 'j',
    event: 'executed',
    to: 'client',
    data: `{"node": "1", "output": ${ui}}`,
  });
  engine!.message({
    type: 'done',
    jobId: 'j',
    end: {
      status: 'success',
      completed: true,
      messages: [],
      meta: '{}',
      untold: `{"1": ${ui}}`,
    },
  });

  const [{ uuid }] = registered as { uuid: string }[];
  expect(registered).toEqual([{ uuid, job: 'j', path: join(folders.output, 'in', 'a.png') }]);
  const named = ui.replace('"output"}', `"output", "id": "${uuid}"}`);
  expect(received[1]).toMatchObject({ data: `{"node": "1", "output": ${named}}` });
  expect(received[2]).toMatchObject({ end: { untold: `{"1": ${named}}` } });
});
