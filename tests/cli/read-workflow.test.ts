import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readWorkflowFile } from '../../cli/read-workflow.ts';
import { encodePng } from '../../engine/media/formats/png/encode.ts';
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

  const picture = (texts: Record<string, string>): Promise<Buffer> =>
    encodePng(
      { width: 1, height: 1, channels: 3, data: new Uint8Array(3) },
      { level: 0, text: Object.entries(texts) },
    );
  const useless = ['a plain text prompt of another program', '{broken', '{}', 'null'];

  it.each(useless)(
    'uses the workflow of a picture whose prompt is %j, and says so',
    async (text) => {
      const found = await read(await picture({ prompt: text, workflow: JSON.stringify(workflow) }));
      expect(found.prompt['1'].inputs).toEqual({ x: 6 });
      expect(found.warnings).toHaveLength(1);
      expect(found.warnings[0]).toContain("its text 'prompt' is");
    },
  );

  it.each(useless)('uses the prompt of a picture whose workflow is %j', async (text) => {
    const found = await read(await picture({ prompt: JSON.stringify(prompt), workflow: text }));
    expect(found).toEqual({ prompt, warnings: [] });
  });

  it('says what is wrong with every text', async () => {
    const file = await picture({ prompt: '{broken', workflow: '{}' });
    await expect(read(file)).rejects.toThrow(/'prompt' is no JSON.*'workflow' is JSON, but no/);
  });

  it('keeps the drawing of a posted body', async () => {
    const body = { prompt, extra_data: { extra_pnginfo: { workflow } } };
    expect((await read(JSON.stringify(body))).workflow).toBeDefined();
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
