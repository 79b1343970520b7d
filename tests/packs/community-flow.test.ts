/** The community pack: pipes, branches, lists. Expected values are those that the originals' formulas give. */
import { describe, expect, it } from 'vitest';
import { ExecutionBlocker } from '../../engine/node.ts';
import type { NDArray } from '../../engine/node.ts';
import { graphOf, resultOf } from './support.ts';

const array = (shape: number[], data: number[]): NDArray => ({
  shape,
  data: Float32Array.from(data),
});
const stopped = expect.any(ExecutionBlocker) as unknown;
const parts = { model: 'm', clip: 'c', vae: 'v', positive: ['p'], negative: ['n'] };

describe('pipes', () => {
  it('are made, taken apart and edited', async () => {
    const [pipe] = await resultOf('ToBasicPipe', parts);
    const values = ['m', 'c', 'v', ['p'], ['n']];
    expect(await resultOf('FromBasicPipe', { basic_pipe: pipe })).toEqual(values);
    expect(await resultOf('FromBasicPipe_v2', { basic_pipe: pipe })).toEqual([pipe, ...values]);
    const [edited] = await resultOf('EditBasicPipe', { basic_pipe: pipe, vae: 'w', clip: null });
    expect(edited).toEqual({ ...parts, vae: 'w' });
    expect(await resultOf('AnyPipeToBasic', { any_pipe: { ...parts, more: 1 } })).toEqual([parts]);
    await expect(resultOf('AnyPipeToBasic', { any_pipe: { model: 1 } })).rejects.toThrow(/clip/);
  });

  it('are sampled from by what they hold', async () => {
    const latent_image = ['9', 0];
    const { made, result } = await graphOf('ImpactKSamplerAdvancedBasicPipe', {
      ...{ basic_pipe: ['1', 0], latent_image, add_noise: true },
      ...{ return_with_leftover_noise: false, steps: 4 },
    });
    expect(made).toEqual([
      ['FromBasicPipe', { basic_pipe: ['1', 0] }],
      [
        'KSamplerAdvanced',
        {
          ...{ model: ['1', 0], positive: ['1', 3], negative: ['1', 4], latent_image, steps: 4 },
          ...{ add_noise: 'enable', return_with_leftover_noise: 'disable' },
        },
      ],
    ]);
    expect(result).toEqual([
      ['1', 0],
      ['2', 0],
      ['1', 2],
    ]);
    const plain = await graphOf('ImpactKSamplerBasicPipe', { basic_pipe: ['1', 0], seed: 5 });
    expect(plain.made[1]).toMatchObject(['KSampler', { seed: 5, model: ['1', 0] }]);
    const other = { basic_pipe: ['1', 0], scheduler_func_opt: () => 0 };
    await expect(graphOf('ImpactKSamplerBasicPipe', other)).rejects.toThrow(/scheduler_func_opt/);
  });

  it('re-encode latents through the picture, in tiles where asked', async () => {
    const links = { samples: ['1', 0], input_vae: ['2', 0], output_vae: ['3', 0], tile_size: 640 };
    const classes = async (tile_mode: string) =>
      (await graphOf('ReencodeLatent', { ...links, tile_mode })).classes;
    expect(await classes('None')).toEqual(['VAEDecode', 'VAEEncode']);
    expect(await classes('Both')).toEqual(['VAEDecodeTiled', 'VAEEncodeTiled']);
    expect(await classes('Decode(input) only')).toEqual(['VAEDecodeTiled', 'VAEEncode']);
    expect(await classes('Encode(output) only')).toEqual(['VAEDecode', 'VAEEncodeTiled']);
    const piped = await graphOf('ReencodeLatentPipe', {
      ...{ samples: ['9', 0], tile_mode: 'Both' },
      ...{ input_basic_pipe: ['7', 0], output_basic_pipe: ['8', 0] },
    });
    expect(piped.made.slice(2)).toMatchObject([
      ['VAEDecodeTiled', { vae: ['1', 2], tile_size: 512 }],
      ['VAEEncodeTiled', { vae: ['2', 2], pixels: ['3', 0] }],
    ]);
  });

  it("Easy Use's keep what is not given anew", async () => {
    const [pipe] = await resultOf('easy pipeIn', { model: 'm', pos: ['p'], latent: 'l' });
    const [next] = await resultOf('easy pipeIn', { pipe, model: null, pos: ['q'], vae: 'v' });
    expect(await resultOf('easy pipeOut', { pipe: next })).toEqual([
      ...[next, 'm', ['q'], null, 'l', 'v', null, null, null],
    ]);
    await expect(resultOf('easy pipeIn', { image: 'i' })).rejects.toThrow(/latent/);
  });
});

describe('branches', () => {
  it.each<[string, Record<string, unknown>, unknown[]]>([
    ['easy ifElse', { boolean: true, on_true: 1, on_false: 2 }, [1]],
    ['easy ifElse', { boolean: false, on_true: 1, on_false: 2 }, [2]],
    ['easy blocker', { continue: true, in: 1 }, [1]],
    ['easy blocker', { continue: false, in: 1 }, [stopped]],
    ['easy ab', { 'A or B': true, in: 1 }, [1, stopped]],
    ['easy ab', { 'A or B': false, in: 1 }, [stopped, 1]],
    ['easy isNone', { any: null }, [true]],
    ['easy isNone', { any: '' }, [true]],
    ['easy isNone', { any: 0 }, [true]],
    ['easy isNone', { any: 'x' }, [false]],
    ['easy isMaskEmpty', { mask: array([1, 1, 2], [0, 0]) }, [true]],
    ['easy isMaskEmpty', { mask: array([1, 1, 2], [0, 0.1]) }, [false]],
    ['easy isMaskEmpty', { mask: null }, [true]],
    ['ImpactConditionalBranchSelMode', { cond: true, tt_value: 1 }, [1]],
    ['ImpactConditionalBranchSelMode', { cond: false, tt_value: 1 }, [null]],
    ['ImpactControlBridge', { value: 1, mode: true, behavior: 'Bypass' }, [1]],
    ['ImpactControlBridge', { value: 1, mode: false, behavior: 'Stop' }, [stopped]],
    ['ImpactControlBridge', { value: 1, mode: false, behavior: 'Mute' }, [stopped]],
    ['ImpactValueReceiver', { typ: 'INT', value: '-3' }, [-3]],
    ['ImpactValueReceiver', { typ: 'FLOAT', value: '0.25' }, [0.25]],
    ['ImpactValueReceiver', { typ: 'BOOLEAN', value: 'TRUE' }, [true]],
    ['ImpactValueReceiver', { typ: 'STRING', value: 'a' }, ['a']],
    ['ImpactDummyInput', {}, ['DUMMY']],
  ])('%s %j', async (name, inputs, outputs) => {
    expect(await resultOf(name, inputs)).toEqual(outputs);
  });

  it('inversed switches give to one output and stop the others', async () => {
    const easy = await resultOf('easy anythingInversedSwitch', { index: 2, in: 'x' });
    expect([easy.length, easy[2], easy[0]]).toEqual([20, 'x', stopped]);
    const prompt = { 7: { class_type: 'A', inputs: { a: ['5', 24], b: ['6', 90] } } };
    const given = { select: 25, input: 'x', prompt, unique_id: '5' };
    const impact = await resultOf('ImpactInversedSwitch', given);
    expect([impact.length, impact[24], impact[23]]).toEqual([25, 'x', stopped]);
  });

  it('a bypass cannot be made while it runs', async () => {
    const bridge = { value: 1, mode: false, behavior: 'Bypass' };
    await expect(resultOf('ImpactControlBridge', bridge)).rejects.toThrow(/Bypass/);
  });

  it('values are sent to the page', async () => {
    const sent: unknown[] = [];
    const context = { send: (...message: unknown[]) => sent.push(message) };
    const given = { value: 4, link_id: 1, signal_opt: 's' };
    expect(await resultOf('ImpactValueSender', given, context)).toEqual(['s']);
    expect(sent).toEqual([['value-send', { link_id: 1, value: 4 }]]);
  });

  it('sleep until an interruption', async () => {
    const signal = AbortSignal.abort();
    expect(await resultOf('easy sleep', { any: 1, delay: 1000 }, { signal })).toEqual([1]);
    const patient = { signal: new AbortController().signal };
    expect(await resultOf('ImpactSleep', { signal: 2, seconds: 0.01 }, patient)).toEqual([2]);
  });
});

describe('lists', () => {
  const range = (given: object) => ({
    ...{ range_mode: ['step'], start: [0], stop: [3], step: [1], num_steps: [3] },
    ...{ end_mode: ['Inclusive'], ...given },
  });
  const exclusive = { end_mode: ['Exclusive'] };
  const counted = { range_mode: ['num_steps'] };

  it.each<[string, Record<string, unknown>, unknown[]]>([
    ['easy rangeInt', range({}), [[0, 1, 2, 3], [4]]],
    ['easy rangeInt', range(exclusive), [[0, 1, 2], [3]]],
    ['easy rangeInt', range({ step: [0] }), [[0], [1]]],
    ['easy rangeInt', range({ stop: [-3], step: [-1] }), [[0, -1], [2]]],
    ['easy rangeInt', range({ ...counted, stop: [5] }), [[0, 2, 5], [3]]],
    ['easy rangeInt', range({ ...counted, ...exclusive, stop: [5] }), [[0, 2, 4], [3]]],
    [
      'easy rangeInt',
      range({ stop: [1, 2] }),
      [
        [0, 1, 0, 1, 2],
        [2, 3],
      ],
    ],
    ['easy rangeFloat', range({ stop: [0.3], step: [0.1] }), [[0, 0.1, 0.2, 0.3], [4]]],
    ['easy rangeFloat', range({ ...counted, stop: [1] }), [[0, 0.5, 1], [3]]],
    [
      'easy rangeFloat',
      range({ ...counted, ...exclusive, num_steps: [4] }),
      [[0, 0.75, 1.5, 2.25], [4]],
    ],
    [
      'easy promptLine',
      { prompt: 'a\n\nb\nc', start_index: 1, max_rows: 5, remove_empty_lines: true },
      [
        ['b', 'c'],
        ['b', 'c'],
      ],
    ],
    ['easy promptLine', { prompt: 'a\nb', start_index: 9, max_rows: 1 }, [['b'], ['b']]],
    [
      'easy promptList',
      {
        prompt_1: 'a',
        prompt_2: '',
        prompt_3: 'b',
        optional_prompt_list: ['z'],
        prompt_4: '',
        prompt_5: '',
      },
      [
        ['z', 'a', 'b'],
        ['z', 'a', 'b'],
      ],
    ],
    ['easy stringToIntList', { string: '1, 2.9, -3' }, [[1, 2, -3]]],
    ['easy stringToFloatList', { string: '1, 2.5' }, [[1, 2.5]]],
    ['easy stringJoinLines', { string: ' a \n\nb', delimiter: ' | ' }, ['a | b']],
    ['easy lengthAnything', { any: ['a', 'b', 'c'] }, [3]],
    ['easy lengthAnything', { any: [array([2, 1, 1, 3], [1, 2, 3, 4, 5, 6])] }, [2]],
    ['easy indexAnything', { any: ['a', 'b', 'c'], index: [-1] }, ['c']],
    ['easy indexAnything', { any: ['a', 'b', 'c'], index: [7] }, ['c']],
    ['easy indexAnything', { any: [[5, 6]], index: [1] }, [6]],
    ['easy outputToList', { tuple: [1, 2] }, [[1, 2]]],
    ['easy batchAnything', { any_1: 'a', any_2: 'b' }, [['a', 'b']]],
    ['easy batchAnything', { any_1: ['a', 'b'], any_2: 'c' }, [['a', 'b', 'c']]],
    ['easy batchAnything', { any_1: null, any_2: 'c' }, ['c']],
    ['ImpactMakeAnyList', { value1: 1, value2: null, value3: 'x' }, [[1, 'x']]],
  ])('%s %j', async (name, inputs, outputs) => {
    expect(await resultOf(name, inputs)).toEqual(outputs);
  });

  it('that are too long, and texts that are no numbers, are refused', async () => {
    const endless = range({ start: [0], stop: [4096], step: [1e-9] });
    await expect(resultOf('easy rangeInt', endless)).rejects.toThrow(/at most/);
    await expect(resultOf('easy stringToIntList', { string: '1, x' })).rejects.toThrow("got 'x'");
    const one = range({ step: [0] });
    await expect(resultOf('easy rangeFloat', one)).rejects.toThrow(/not 0/);
  });

  it('pictures, latents and masks are batched and cut', async () => {
    const pixel = array([1, 1, 1, 3], [1, 2, 3]);
    const two = (await resultOf('easy batchAnything', { any_1: pixel, any_2: pixel }))[0];
    expect((two as NDArray).shape).toEqual([2, 1, 1, 3]);
    const item = (await resultOf('easy indexAnything', { any: [two], index: [-1] }))[0] as NDArray;
    expect([item.shape, [...item.data]]).toEqual([
      [1, 1, 1, 3],
      [1, 2, 3],
    ]);
    const latent = { samples: array([1, 4, 1, 1], [1, 2, 3, 4]) };
    expect(
      (await resultOf('easy batchAnything', { any_1: latent, any_2: latent }))[0],
    ).toMatchObject({
      samples: { shape: [2, 4, 1, 1] },
      batch_index: [0, 0],
    });
    const mask = array([1, 1, 2], [0, 1]);
    const [batch] = (await resultOf('ImpactMakeMaskBatch', {
      mask1: mask,
      mask2: mask,
    })) as NDArray[];
    expect(batch.shape).toEqual([2, 1, 2]);
    expect(await resultOf('ImpactMakeMaskList', { mask1: mask, mask2: mask })).toEqual([
      [mask, mask],
    ]);
    const [[, last]] = (await resultOf('MasksToMaskList', { masks: batch })) as NDArray[][];
    expect([...last.data]).toEqual([0, 1]);
    const joined = (await resultOf('MaskListToMaskBatch', { mask: [mask, batch] })) as NDArray[];
    expect(joined[0].shape).toEqual([3, 1, 2]);
  });
});
