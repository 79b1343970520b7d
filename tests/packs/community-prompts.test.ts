/** Nodes of the community pack in prompts, and workflows that use them. */
import { describe, expect, it } from 'vitest';
import { nodes } from '../../custom_nodes/community/index.ts';
import { nodeInfo } from '../../engine/graph/object-info.ts';
import type { ObjectInfo } from '../../engine/workflow/types.ts';
import { workflowToPrompt } from '../../engine/workflow/to-prompt.ts';
import { stringifyJson } from '../../engine/workflow/lossless-json.ts';
import { builtinNodes } from '../../nodes/index.ts';
import { createHarness } from '../engine/graph/harness.ts';
import type { RunOutcome } from '../engine/graph/harness.ts';
import { referenceChoices } from '../support/object-info.ts';

/* eslint-disable @typescript-eslint/no-explicit-any, @typescript-eslint/no-unsafe-member-access -- data of a fixture */
describe('in prompts', () => {
  const start = () => createHarness('', { nodes });
  const n = (class_type: string, inputs: Record<string, unknown> = {}) => ({ class_type, inputs });
  const shown = async (prompt: Record<string, unknown>) => {
    const run = await start().run(prompt as never);
    expect(run.error()).toBeUndefined();
    return run.outputs.out?.text as unknown;
  };
  const show = (id: string) => n('PreviewAny', { source: [id, 0] });

  it('Any Switch, Index Switch and Context take what is there', async () => {
    const x = n('INTConstant', { value: 5 });
    const none = n('ImagePass');
    const any = n('Any Switch (rgthree)', { any_01: ['none', 0], any_02: ['x', 0] });
    expect(await shown({ x, none, s: any, out: show('s') })).toEqual(['5']);
    const index = n('easy anythingIndexSwitch', {
      index: 1,
      value0: ['none', 0],
      value1: ['x', 0],
    });
    expect(await shown({ x, none, s: index, out: show('s') })).toEqual(['5']);
    const first = n('Context (rgthree)', { seed: ['x', 0] });
    const second = n('Context (rgthree)', { base_ctx: ['first', 0] });
    const seed = n('PreviewAny', { source: ['second', 8] });
    expect(await shown({ x, first, second, out: seed })).toEqual(['5']);
  });

  /** What the page shows at a node: nodes that replace it show in its place. */
  const picturesAt = (run: RunOutcome, id: string): unknown =>
    (run.of('executed').find((event) => event.display_node === id) as any)?.output.images;

  it('shows masks and pairs of pictures through PreviewImage', async () => {
    const mask = n('SolidMask', { value: 1, width: 8, height: 8 });
    const run = await start().run({ mask, out: n('MaskPreview+', { mask: ['mask', 0] }) } as never);
    expect(run.error()).toBeUndefined();
    expect(picturesAt(run, 'out')).toHaveLength(1);
    const picture = n('EmptyImage', { width: 8, height: 8, batch_size: 1, color: 0 });
    const pair = n('Image Comparer (rgthree)', { image_a: ['p', 0], image_b: ['p', 0] });
    const compared = await start().run({ p: picture, out: pair } as never);
    expect(picturesAt(compared, 'out')).toHaveLength(2);
  });

  it('nodes that stand for loaders become them', async () => {
    const made: [string, Record<string, unknown>][] = [];
    const newGraph = () => ({
      node(classType: string, inputs: Record<string, unknown>) {
        made.push([classType, inputs]);
        const id = `${made.length}`;
        return { out: (slot: number) => [id, slot] };
      },
      finalize: () => made.length,
    });
    const context = { newGraph } as never;
    const run = (name: string, inputs: Record<string, unknown>) =>
      nodes.find((node) => node.name === name)!.run(inputs, context);
    const stack = [
      ['a', 1, 2],
      ['b', 3, 4],
    ];
    const links = { model: ['m', 0], clip: ['m', 1] };
    const applied = await run('CR Apply LoRA Stack', { ...links, lora_stack: stack });
    expect(made).toEqual([
      ['LoraLoader', { ...links, lora_name: 'a', strength_model: 1, strength_clip: 2 }],
      [
        'LoraLoader',
        { model: ['1', 0], clip: ['1', 1], lora_name: 'b', strength_model: 3, strength_clip: 4 },
      ],
    ]);
    expect(applied).toMatchObject({ expand: 2 });
    expect((applied as { result: unknown[] }).result.slice(0, 2)).toEqual([
      ['2', 0],
      ['2', 1],
    ]);
    const untouched = await run('CR Apply LoRA Stack', { ...links, lora_stack: null });
    expect((untouched as { result: unknown[] }).result.slice(0, 2)).toEqual([
      ['m', 0],
      ['m', 1],
    ]);
    made.length = 0;
    const opened = await run('SwarmInputCheckpoint', { value: 'x.safetensors' });
    expect(made).toEqual([['CheckpointLoaderSimple', { ckpt_name: 'x.safetensors' }]]);
    expect(opened).toMatchObject({
      result: [
        ['1', 0],
        ['1', 1],
        ['1', 2],
      ],
    });
  });

  it('efficient loaders and samplers become chains of nodes', async () => {
    const made: string[] = [];
    const newGraph = () => ({
      node(classType: string) {
        const id = `${made.push(classType)}`;
        return { out: (slot: number) => [id, slot] };
      },
      finalize: () => made.length,
    });
    const run = async (name: string, inputs: Record<string, unknown>) =>
      (await nodes.find((node) => node.name === name)!.run(inputs, { newGraph } as never)) as {
        result: unknown[];
      };
    const SHARED = {
      vae_name: 'Baked VAE',
      lora_name: 'None',
      token_normalization: 'none',
      weight_interpretation: 'comfy',
    };
    const loaded = await run('Efficient Loader', { ...SHARED, lora_stack: [['a', 1, 1]] });
    expect(made).toEqual([
      'CheckpointLoaderSimple',
      'LoraLoader',
      'CLIPSetLastLayer',
      'CLIPTextEncode',
      'CLIPTextEncode',
      'EmptyLatentImage',
    ]);
    const slots = ['2 0', '4 0', '5 0', '6 0', '1 2', '3 0'];
    expect(loaded.result.slice(0, 6).map((link) => (link as unknown[]).join(' '))).toEqual(slots);
    const other = { ...SHARED, weight_interpretation: 'compel' };
    await expect(run('Efficient Loader', other)).rejects.toThrow('weight_interpretation');
    const sampled = async (name: string, inputs: object): Promise<string> => {
      made.length = 0;
      await run(name, { optional_vae: ['v', 0], preview_method: 'auto', ...inputs });
      return made.join(' ');
    };
    const plain = 'KSampler (Efficient)';
    expect(await sampled(plain, { vae_decode: 'true' })).toBe('KSampler VAEDecode PreviewImage');
    const bare = { vae_decode: 'true (tiled)', optional_vae: undefined };
    expect(await sampled(plain, bare)).toBe('KSampler EmptyImage');
    const advanced = { vae_decode: 'output only (tiled)' };
    expect(await sampled('KSampler Adv. (Efficient)', advanced)).toBe(
      'KSamplerAdvanced VAEDecodeTiled',
    );
    const script = sampled(plain, { vae_decode: 'true', script: {} });
    await expect(script).rejects.toThrow('script');
  });

  it('are what editor workflows become, virtual nodes gone', () => {
    const objectInfo = Object.fromEntries(
      [...builtinNodes().values(), ...nodes].map((node) => [
        node.name,
        JSON.parse(stringifyJson(nodeInfo(node, referenceChoices))),
      ]),
    ) as ObjectInfo;
    const node = (id: number, type: string, more: object = {}) => ({
      ...{ id, type, mode: 0, inputs: [], outputs: [], properties: {} },
      ...more,
    });
    const out = (links: number[]) => ({ outputs: [{ name: 'x', type: '*', links }] });
    const input = (name: string, link: number) => ({ inputs: [{ name, type: '*', link }] });
    const row = { on: true, lora: 'a.safetensors', strength: 0.5, strengthTwo: null };
    const { prompt, warnings } = workflowToPrompt(
      {
        version: 0.4,
        nodes: [
          node(1, 'INTConstant', { ...out([1]), widgets_values: [7] }),
          node(2, 'SetNode', { ...input('INT', 1), widgets_values: ['seven'] }),
          node(3, 'GetNode', { ...out([2]), widgets_values: ['seven'] }),
          node(4, 'Reroute (rgthree)', { ...input('', 2), ...out([3]) }),
          node(5, 'Any Switch (rgthree)', { ...input('any_01', 3), ...out([4]) }),
          node(6, 'Display Any (rgthree)', { ...input('source', 4), widgets_values: ['old'] }),
          node(10, 'Power Lora Loader (rgthree)', {
            ...{ ...out([]), inputs: [{ name: 'model', type: 'MODEL', link: null }] },
            widgets_values: [{}, { type: 'PowerLoraLoaderHeaderWidget' }, row, {}, ''],
          }),
          node(7, 'Fast Groups Bypasser (rgthree)'),
          node(8, 'Label (rgthree)'),
          node(9, 'Bookmark (rgthree)'),
        ],
        links: [
          [1, 1, 0, 2, 0, '*'],
          [2, 3, 0, 4, 0, '*'],
          [3, 4, 0, 5, 0, '*'],
          [4, 5, 0, 6, 0, '*'],
        ],
      },
      objectInfo,
    );
    expect(warnings).toEqual([]);
    expect(Object.keys(prompt)).toEqual(['1', '5', '6', '10']);
    expect(prompt[10].inputs).toEqual({ lora_1: row });
    expect(prompt[5].inputs).toEqual({ any_01: ['1', 0] });
  });
});
