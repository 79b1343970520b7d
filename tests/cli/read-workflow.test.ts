import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readWorkflowFile } from '../../cli/read-workflow.ts';
import type { ObjectInfo } from '../../engine/workflow/types.ts';

const info: ObjectInfo = { A: { input: { required: { x: ['INT', { default: 1 }] } } } };
const prompt = { 1: { class_type: 'A', inputs: { x: 5 } } };
const workflow = { nodes: [{ id: 1, type: 'A', widgets_values: [6] }], links: [], version: 0.4 };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'noodle-read-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const read = (content: string | Buffer): ReturnType<typeof readWorkflowFile> => {
  const path = join(folder, 'file');
  writeFileSync(path, content);
  return readWorkflowFile(path, async () => info);
};

describe('readWorkflowFile', () => {
  it('reads prompts, posted bodies and editor workflows', async () => {
    expect((await read(JSON.stringify(prompt))).prompt).toEqual(prompt);
    expect((await read('\ufeff' + JSON.stringify({ prompt, client_id: 'x' }))).prompt).toEqual(
      prompt,
    );
    const converted = await read(JSON.stringify(workflow));
    expect(converted.prompt['1'].inputs).toEqual({ x: 6 });
    expect(converted.workflow).toMatchObject({ version: expect.anything() as unknown });
  });

  it('reads pictures', async () => {
    const file = await sharp({ create: { width: 2, height: 2, channels: 3, background: 'red' } })
      .withExif({
        IFD0: {
          Model: `prompt:${JSON.stringify(prompt)}`,
          Make: `workflow:${JSON.stringify(workflow)}`,
        },
      })
      .webp()
      .toBuffer();
    const found = await read(file);
    expect(found.prompt['1'].inputs).toEqual({ x: 5 });
    expect(found.workflow).toBeDefined();
  });

  it.each([
    ['{"a": 1}', 'other JSON'],
    ['{broken', 'JSON'],
    ['plain text', 'a file without one'],
    ['', 'a file without one'],
  ])('says what %j is', async (content, message) => {
    await expect(read(content)).rejects.toThrow(message);
  });

  it('says that a file is missing', async () => {
    await expect(readWorkflowFile('/no/such', async () => info)).rejects.toThrow('was not found');
  });
});
