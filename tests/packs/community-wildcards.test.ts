/** Impact Pack's wildcards. tests/fixtures/community-wildcards.json holds what the pack's own `process` gave. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { populated } from '../../custom_nodes/community/wildcards.ts';
import { createFolders } from '../../engine/store/folders.ts';
import { graphOf, resultOf } from './support.ts';

const { wildcards, rows } = JSON.parse(
  readFileSync(new URL('../fixtures/community-wildcards.json', import.meta.url), 'utf8'),
) as { wildcards: Record<string, string[]>; rows: [text: string, seed: number, result: string][] };
const known = new Map(Object.entries(wildcards));

const base = mkdtempSync(join(tmpdir(), 'noodle-wildcards-'));
afterAll(() => rmSync(base, { recursive: true }));
const folders = createFolders({ base });
for (const [name, lines] of known) {
  const file = join(folders.input, 'wildcards', `${name}.txt`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `# ${name}\n${lines.join('\r\n')}\n`);
}
const context = { services: { folders } };

describe('wildcards', () => {
  it.each(rows)('%j with seed %s', (text, seed, result) => {
    expect(populated(text, seed, known)).toBe(result);
  });

  it('that grow without end, or have nothing to choose from, are refused', () => {
    const growing = new Map([['more', ['__more__ __more__ __more__']]]);
    expect(() => populated('__more__', 1, growing)).toThrow(/grows beyond/);
    expect(() => populated('{3-1$$a|b}', 1, known)).toThrow(/range that rises/);
    expect(() => populated('{0::a}', 1, known)).toThrow(/at most 0/);
  });

  it('come from the text or from what was populated, and from the input folder', async () => {
    const given = { wildcard_text: '__deep__ here', populated_text: 'x', seed: 7 };
    const run = (mode: boolean) => resultOf('ImpactWildcardProcessor', { ...given, mode }, context);
    expect(await run(true)).toEqual(['fox and green here']);
    expect(await run(false)).toEqual(['x']);
  });

  it('bring LoRAs and parts', async () => {
    const populated_text = '<lora:a:0.5:0.25>one BREAK two<lora:b.pt:2><lora:a:9>';
    const given = { model: ['1', 0], clip: ['1', 1], mode: false, wildcard_text: '', seed: 0 };
    const { made, result } = await graphOf(
      'ImpactWildcardEncode',
      { ...given, populated_text },
      context,
    );
    expect(made).toEqual([
      [
        'LoraLoader',
        {
          ...{ model: ['1', 0], clip: ['1', 1], lora_name: 'a.safetensors' },
          ...{ strength_model: 0.5, strength_clip: 0.25 },
        },
      ],
      [
        'LoraLoader',
        {
          ...{ model: ['1', 0], clip: ['1', 1], lora_name: 'b.pt' },
          ...{ strength_model: 2, strength_clip: 2 },
        },
      ],
      ['CLIPTextEncode', { clip: ['2', 1], text: 'one' }],
      ['CLIPTextEncode', { clip: ['2', 1], text: 'two' }],
      ['ConditioningConcat', { conditioning_to: ['3', 0], conditioning_from: ['4', 0] }],
    ]);
    expect(result).toEqual([['2', 0], ['2', 1], ['5', 0], populated_text]);
  });
});
