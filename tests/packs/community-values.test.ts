/**
 * The community pack: values, numbers, texts and lists of small packs. Expected values follow the originals'
 * formulas; those of seeds were drawn by Python's `random`.
 */
import { describe, expect, it } from 'vitest';
import type { NDArray } from '../../engine/node.ts';
import { graphOf, resultOf } from './support.ts';

type Row = readonly [name: string, inputs: Record<string, unknown>, outputs: readonly unknown[]];

/** Every row's node gives these outputs; of nodes that give help, all but the last. */
function each(title: string, rows: readonly Row[]): void {
  it.each(rows)(`${title}: %s`, async (name, inputs, outputs) => {
    const result = await resultOf(name, inputs);
    const last = result.at(-1);
    const hasHelp = typeof last === 'string' && last.startsWith('https://github.com/Suzie1/');
    expect(hasHelp ? result.slice(0, -1) : result).toEqual(outputs);
  });
}

const picture: NDArray = { shape: [1, 3, 5, 3], data: new Float32Array(45) };

describe('values', () => {
  each('handed on', [
    ['DF_Float', { Value: 1.5 }, [1.5]],
    ['DF_Integer', { Value: -1.5 }, [-1]],
    ['DF_Text', { Text: 'a' }, ['a']],
    ['JWInteger', { value: 7 }, [7]],
    ['JWStringMultiline', { text: 'a\nb' }, ['a\nb']],
    ['Primitive float [Crystools]', { float: 0.5 }, [0.5]],
    ['Primitive string multiline [Crystools]', { string: 's' }, ['s']],
    ['Text _O', { text: 'a' }, ['a ']],
    ['floatToInt _O', { float: 2.9 }, [2]],
    ['seed _O', { seed: 2n ** 60n }, [2n ** 60n]],
    ['mxSeed', { X: 3 }, [3]],
    ['mxSlider', { Xi: 20, Xf: 2.5, isfloatX: 0 }, [20]],
    ['mxSlider', { Xi: 20, Xf: 2.5, isfloatX: 1 }, [2.5]],
    ['mxSlider2D', { Xi: 1, Xf: 1.5, Yi: 2, Yf: 2.5, isfloatX: 1, isfloatY: 0 }, [1.5, 2]],
    ['easy seed', { seed: 9 }, [9]],
    ['easy globalSeed', { value: 9 }, []],
    ['easy positive', { positive: 'p' }, ['p']],
    ['easy negative', { negative: 'n' }, ['n']],
    ['easy clearCacheAll', { anything: 4 }, [4]],
    ['easy clearCacheKey', { anything: 4, cache_key: '*' }, [4]],
    ['PlaySound|pysssss', { any: [1, 2] }, [[1, 2]]],
    ['Logic NOT', { boolean: true }, [false]],
    ['Logic Boolean Primitive', { boolean: true }, [true]],
    ['Boolean To Text', { boolean: false }, ['False']],
    ['Seed Everywhere', { seed: 4 }, [4]],
    ['Simple String', { string: 'a' }, ['a']],
    ['Anything Everywhere', { anything: 4 }, []],
    ['Prompts Everywhere', { positive: 4 }, []],
    ['CR Seed', { seed: 4 }, [4]],
    ['CR Prompt Text', { prompt: 'p' }, ['p']],
    ['CR Current Frame', { index: 3 }, [3]],
    ['CR Value', { value: -2.5 }, [-2.5, -2]],
  ]);

  each('sizes', [
    [
      'easy pixels',
      { resolution: '1080 x 1920', scale: 0.5, 'flip_w/h': false },
      [536, 960, 540, 960, 0.5],
    ],
    [
      'easy pixels',
      {
        resolution: 'width x height (custom)',
        width: 512,
        height: 640,
        scale: 1,
        'flip_w/h': true,
      },
      [640, 512, 640, 512, 1],
    ],
    ['DF_Get_image_size', { image: picture }, [5, 3]],
    ['Image Size to Number', { image: picture }, [5, 3, 5, 3, 5, 3]],
  ]);

  it.each([
    ['CR SD1.5 Aspect Ratio', '16:9 cinema 910x512', 'Off', [910, 512]],
    ['CR SD1.5 Aspect Ratio', 'custom', 'On', [300, 200]],
    ['CR SDXL Aspect Ratio', '5:8 portrait 832x1216', 'On', [1216, 832]],
  ] as const)('%s %s', async (name, aspect_ratio, swap_dimensions, [width, height]) => {
    const given = { width: 200, height: 300, aspect_ratio, swap_dimensions, upscale_factor: 2 };
    const [w, h, factor, batch, latent] = await resultOf(name, { ...given, batch_size: 3 });
    expect([w, h, factor, batch]).toEqual([width, height, 2, 3]);
    const shape = [3, 4, Math.floor(height / 8), Math.floor(width / 8)];
    expect((latent as { samples: NDArray }).samples.shape).toEqual(shape);
  });

  it.each([
    ['CR Aspect Ratio', 'SDXL - 9:16 portrait 768x1344', [384, 672]],
    ['CR Aspect Ratio Banners', 'Banner - 468x60', [84, 30]],
    ['CR Aspect Ratio Banners', 'Leaderboard - 728x90', [364, 45]],
    ['CR Aspect Ratio Social Media', 'YouTube Banner - 2560×1440', [1280, 720]],
  ] as const)('%s %s, half as large', async (name, aspect_ratio, sides) => {
    const given = { aspect_ratio, swap_dimensions: 'Off', upscale_factor: 1, batch_size: 1 };
    const result = await resultOf(name, { ...given, prescale_factor: 0.5 });
    expect(result.slice(0, 5)).toEqual([...sides, 1, 0.5, 1]);
  });
});

describe('numbers', () => {
  each('arithmetic', [
    ['JWIntegerAdd', { a: 2n ** 60n, b: 1 }, [2n ** 60n + 1n]],
    ['JWIntegerDiv', { a: 7, b: 2 }, [3.5]],
    ['JWIntegerMax', { a: 7, b: 2 }, [7]],
    ['JWIntegerAbsolute', { value: -7 }, [7]],
    ['JWFloatSub', { a: 0.5, b: 2 }, [-1.5]],
    ['JWFloatMul', { a: 0.5, b: 3 }, [1.5]],
    ['JWFloatMin', { a: 0.5, b: 3 }, [0.5]],
    ['JWIntegerToString', { value: 7, format_string: 'n{:04d}' }, ['n0007']],
    ['JWFloatToString', { value: 1 / 3, format_string: '{:.6g}' }, ['0.333333']],
    ['JWFloatToInteger', { value: 2.5, mode: 'round' }, [2]],
    ['JWFloatToInteger', { value: -2.5, mode: 'floor' }, [-3]],
    ['JWFloatToInteger', { value: -2.5, mode: 'ceiling' }, [-2]],
    ['JWStringToInteger', { text: ' 12 ' }, [12]],
    ['JWStringToFloat', { text: '1e-3' }, [0.001]],
    ['DF_Divide', { Numerator: 1, Denominator: 4 }, [0.25]],
    ['DF_Power', { Value: 2, Exponent: 0.5 }, [Math.SQRT2]],
    ['DF_Square_root', { Value: 9 }, [3, -3]],
    ['DF_Ceil', { Value: 1.2 }, [2]],
    ['DF_Floor', { Value: -1.2 }, [-2]],
    ['Number Operation', { number_a: 7, number_b: 2, operation: 'floor division' }, [3, 3, 3]],
    ['Number Operation', { number_a: 7, number_b: 2, operation: 'division' }, [3.5, 3.5, 3]],
    ['Number Operation', { number_a: -7, number_b: 3, operation: 'modulus' }, [2, 2, 2]],
    ['Number Operation', { number_a: 1, number_b: 2, operation: 'less-than' }, [1, 1, 1]],
    ['Number Multiple Of', { number: 17, multiple: 8 }, [24, 24, 24]],
    ['Number Multiple Of', { number: 16, multiple: 8 }, [16, 16, 16]],
    ['Number Input Switch', { number_a: 1, number_b: 2.5, boolean: false }, [2.5, 2.5, 2]],
    ['Number to Seed', { number: 5 }, [{ seed: 5 }]],
    ['Number to Text', { number: 5 }, ['5']],
    ['Text to Number', { text: '2.5' }, [2.5]],
    ['Constant Number', { number_type: 'integer', number: 2.9 }, [2, 2, 2]],
    ['Constant Number', { number_type: 'bool', number: 0.6 }, [1, 1, 1]],
    ['Constant Number', { number_type: 'float', number: 1, number_as_text: '2.5' }, [2.5, 2.5, 2]],
    ['Random Number', { number_type: 'integer', minimum: 0, maximum: 100, seed: 1 }, [17, 17, 17]],
    [
      'Random Number',
      { number_type: 'float', minimum: 0, maximum: 10, seed: 1 },
      [1.3436424411240122, 1.3436424411240122, 1],
    ],
    ['easy simpleMath', { value: 'ceil(a / b)', a: 5, b: 2 }, [3, 3, true]],
    ['easy simpleMath', { value: '(a>b)*b+(a<=b)*a', a: 2, b: 3 }, [2, 2, true]],
    [
      'easy simpleMath',
      { value: 'a * 2', a: [1, 2.5] },
      [
        [2, 5],
        [2, 5],
        [true, true],
      ],
    ],
    ['easy simpleMath', { value: 'nothing' }, [0, 0, false]],
    ['easy simpleMathDual', { value1: 'sqrt(c)', value2: 'pi', c: 4 }, [2, 2, 3, Math.PI]],
    ['CR Clamp Value', { a: 5, range_min: 0, range_max: 2 }, [2]],
    ['CR Integer Multiple', { integer: 3, multiple: 8 }, [24]],
    ['CR Math Operation', { a: 1, operation: 'tan', decimal_places: 4 }, [0.5403]],
    ['CR Math Operation', { a: -1.25, operation: 'abs', decimal_places: 1 }, [1.2]],
  ]);

  each('conversions and conditions', [
    ['CR String To Number', { text: '-2.5', round_integer: 'round' }, [-2, -2.5]],
    ['CR String To Number', { text: '2', round_integer: 'round up' }, [3, 2]],
    ['CR String To Number', { text: '-2.5', round_integer: 'round down' }, [-3, -2.5]],
    ['CR String To Combo', { text: 'euler,heun' }, ['euler']],
    ['CR String To Boolean', { text: 'true' }, [true]],
    ['CR Integer To String', { int_: 12 }, ['12']],
    ['CR Float To String', { float_: 2 }, ['2.0']],
    ['CR Float To Integer', { _float: 2.9 }, [2]],
    ['CR Select Resize Method', { method: 'Crop' }, ['Crop']],
    [
      'CR Set Value On Boolean',
      { boolean: false, value_if_true: 1, value_if_false: 2.5 },
      [2, 2.5],
    ],
    ['CR Set Value On Binary', { binary: 1, value_if_1: 1.5, value_if_0: 0 }, [1, 1.5]],
    ['CR Set Value on String', { text: 'abc', test_string: 'b', value_if_true: 'y' }, ['y', true]],
    ['CR Set Switch From String', { text: 'b', switch_1: 'a', switch_2: 'b' }, [2]],
    ['CR Index', { index: 3 }, [3]],
    ['CR Index Increment', { index: 3, interval: 2 }, [5]],
    ['CR Index Multiply', { index: 3, factor: 2 }, [6, 2]],
    ['CR Index Reset', { index: 3, reset_to: 9 }, [9, 9]],
    ['CR Trigger', { index: 3, trigger_value: 3 }, [3, true]],
    ['CR Random Hex Color', { seed: 1 }, ['#442082', '#3cfde6', '#f1c26b', '#30f90e']],
    ['CR Switch Model and CLIP', { Input: 2, model1: 1, clip1: 2, model2: 3, clip2: 4 }, [3, 4]],
    ['CR Img2Img Process Switch', { Input: 'img2img', img2img: 'l' }, ['l']],
  ]);

  it.each([
    ['CR String To Number', { text: 'x', round_integer: 'round' }, "got 'x'"],
    ['CR String To Boolean', { text: 'yes' }, "got 'yes'"],
    ['CR Set Switch From String', { text: 'z' }, "got 'z'"],
    ['CR Math Operation', { a: -1, operation: 'log', decimal_places: 1 }, 'log of -1'],
    ['JWStringToInteger', { text: '1.5' }, "got '1.5'"],
    ['Random Number', { number_type: 'float', minimum: 2, maximum: 1, seed: 0 }, 'maximum'],
  ] as const)('%s refuses %j', async (name, inputs, message) => {
    await expect(resultOf(name, inputs)).rejects.toThrow(message);
  });
});

describe('texts', () => {
  each('WAS', [
    ['Text Random Line', { text: 'a\nb\nc\nd', seed: 7 }, ['c']],
    ['Text Shuffle', { text: 'a,b,c,d', separator: ',', seed: 7 }, ['d,b,a,c']],
    [
      'Text Sort',
      { text: 'cat, (bird, ape:1.2), ant', separator: ',' },
      ['ant,(bird, ape:1.2),cat'],
    ],
    [
      'Text String Truncate',
      { text: 'one two three', truncate_by: 'words', truncate_from: 'beginning', truncate_to: 2 },
      ['one two', '', '', ''],
    ],
    [
      'Text String Truncate',
      {
        text: 'abcdef',
        truncate_by: 'characters',
        truncate_from: 'end',
        truncate_to: -2,
        text_b: 'xyz',
      },
      ['abcd', 'x', '', ''],
    ],
    ['Text List', { text_b: 'b', text_a: 'a' }, [['a', 'b']]],
    ['Text List to Text', { delimiter: '\\n', text_list: ['a', 'b'] }, ['a\nb']],
    ['Text List Concatenate', { list_b: ['c'], list_a: ['a', 'b'] }, [['a', 'b', 'c']]],
    ['Text Contains', { text: 'Abc', sub_text: 'aB' }, [true]],
    ['Text Contains', { text: 'Abc', sub_text: 'aB', case_insensitive: false }, [false]],
    ['Text Find', { text: 'abc', substring: '', pattern: 'b.' }, [true]],
    ['Text Find', { text: 'abc', substring: 'd', pattern: '.' }, [false]],
    ['Text Find and Replace Input', { text: 'aaab', find: 'aa', replace: 'a' }, ['ab', 2, 2, 2]],
    ['Text Find and Replace Input', { text: 'a.a', find: 'a', replace: 'aa' }, ['aa.aa', 2, 2, 2]],
    ['Text to Console', { text: 'a', label: 'b' }, ['a']],
    ['Text to String', { text: 'a' }, ['a']],
    ['String to Text', { string: 'a' }, ['a']],
  ]);

  each('Comfyroll, Easy Use and small packs', [
    ['CR Split String', { text: 'a, b,c', delimiter: ',' }, ['a', 'b', 'c', '']],
    [
      'CR Text Blacklist',
      { text: 'a bad cat', blacklist_words: 'bad\n\ncat', replacement_text: 'x' },
      ['a x x'],
    ],
    ['CR Text Operation', { text: 'aBc d', operation: 'capitalize' }, ['Abc d']],
    ['CR Text Operation', { text: 'aBc', operation: 'invert_case' }, ['AbC']],
    ['CR Text Operation', { text: 'abc', operation: 'reverse' }, ['cba']],
    ['CR Text Operation', { text: ' a b ', operation: 'remove_spaces' }, ['ab']],
    ['CR Text Length', { text: 'a😀' }, [2]],
    ['easy promptConcat', { prompt1: 'a', prompt2: ['b', 'c'], separator: '-' }, ['a-b, c']],
    [
      'easy promptReplace',
      { prompt: 'aab', find1: 'a', replace1: 'c', find2: '', replace2: 'z' },
      ['ccb'],
    ],
    ['easy mathString', { a: 'AB', b: 'xaby', operation: 'a IN b', case_sensitive: false }, [true]],
    [
      'easy mathString',
      { a: 'xab', b: 'a', operation: 'a MATCH REGEX(b)', case_sensitive: true },
      [false],
    ],
    [
      'easy mathString',
      { a: 'abx', b: 'a.', operation: 'a MATCH REGEX(b)', case_sensitive: true },
      [true],
    ],
    [
      'easy mathString',
      { a: 'ab', b: 'b', operation: 'a ENDSWITH b', case_sensitive: true },
      [true],
    ],
    ['JWStringConcat', { a: 'a', b: 'b' }, ['ab']],
    ['JWStringReplace', { source: 'aab', to_replace: 'a', replace_with: '$&' }, ['$&$&b']],
    ['JWStringGetLine', { source: 'a\r\nb', line_index: -1 }, ['b']],
    ['DF_String_Concatenate', { Prepend: 'a', Append: 'b', Delimiter: ', ' }, ['a, b']],
    ['Concat Text _O', { text1: 'a', text2: 'b', separator: ',' }, ['a,b']],
    ['Trim Text _O', { text: ' a ' }, ['a']],
    ['Replace Text _O', { text: 'aa', old: 'a', new: 'b' }, ['bb']],
  ]);

  each('lists', [
    ['CR Text List', { multiline_text: 'a\nb\nc', start_index: 1, max_rows: 1 }, [['b']]],
    [
      'CR Prompt List',
      { prepend_text: '<', multiline_text: 'a\nb', append_text: '>', start_index: 0, max_rows: 9 },
      [
        ['<a>', '<b>'],
        ['a', 'b'],
      ],
    ],
    ['CR Simple List', { list_values: ' a \n\nb' }, [['a', 'b']]],
    [
      'CR Integer Range List',
      { start: 0, end: 5, step: 2, loops: 2, ping_pong: true },
      [[0, 2, 4, 4, 2, 0]],
    ],
    ['CR Binary To Bit List', { bit_string: '101' }, [['1', '0', '1']]],
    ['CR Intertwine Lists', { list1: 'a', list2: 'b' }, [['a, b']]],
    ['CR Text List To String', { text_list: ['a', 'b'] }, ['a\nb']],
  ]);

  each('Crystools', [
    ['Switch any [Crystools]', { on_true: 1, on_false: 2, boolean: false }, [2]],
    ['Switch string [Crystools]', { on_true: 'a', on_false: 'b', boolean: true }, ['a']],
    ['Switch from any [Crystools]', { any: 1, boolean: false }, [null, 1]],
    [
      'Pipe to/edit any [Crystools]',
      { CPipeAny: [1, 2, null, null, null, 6], any_2: 'b' },
      [[1, 'b', null, null, null, 6]],
    ],
    ['Pipe from any [Crystools]', { CPipeAny: [1, 2] }, [[1, 2], 1, 2, null, null, null, null]],
    ['List of any [Crystools]', { any_1: 1, any_3: 'x' }, [[[1, 'x']]]],
    [
      'List of strings [Crystools]',
      { string_1: 'a', string_4: 'b', delimiter: '-' },
      ['a-b', [['a', 'b']]],
    ],
    [
      'Show any to JSON [Crystools]',
      { any_value: [{ a: [1, picture] }] },
      ['{\n  "a": [\n    1,\n    "tensor of shape [1, 3, 5, 3]"\n  ]\n}'],
    ],
    ['Show any to JSON [Crystools]', {}, ['inactive']],
  ]);

  each('drawn lines', [
    [
      'CR Random Multiline Values',
      {
        seed: 3,
        value_type: 'hexadecimal',
        rows: 2,
        string_length: 4,
        custom_values: '',
        prepend_text: '0x',
      },
      ['0x74BF\n0x20F8'],
    ],
    [
      'CR Random Multiline Colors',
      { seed: 3, value_type: 'rgb', rows: 2 },
      ['121,66,189\n242,33,6'],
    ],
  ]);

  it('shingo1228 takes sizes however they are written', async () => {
    for (const resolution of ['896 x 1088 (0.82)', '[SDXL] 896 x 1088 (0.82) ★']) {
      const [latent] = await resultOf('SDXL Empty Latent Image', { resolution, batch_size: 2 });
      expect(latent).toMatchObject({ samples: { shape: [2, 4, 136, 112] } });
    }
  });

  it('tokens are put in, in the order they came', async () => {
    await resultOf('Text Add Token by Input', { token_name: '[who]', token_value: 'a cat' });
    await resultOf('Text Add Tokens', { tokens: '[where]: at home\n\n[when]: [time(%Y)]' });
    const text = '[who] [where] in [when]';
    const year = new Date().getFullYear();
    expect(await resultOf('Text Parse Tokens', { text })).toEqual([`a cat at home in ${year}`]);
    const unnamed = { token_name: '', token_value: 'x' };
    await expect(resultOf('Text Add Token by Input', unnamed)).rejects.toThrow(/token_name/);
  });

  it('become conditionings, and ControlNets are switched', async () => {
    const { made, result } = await graphOf('Text to Conditioning', { clip: ['4', 1], text: 'a' });
    expect(made).toEqual([['CLIPTextEncode', { clip: ['4', 1], text: 'a' }]]);
    expect(result).toEqual([['1', 0]]);
    const links = { conditioning: ['1', 0], control_net: ['2', 0], image: ['3', 0], strength: 0.5 };
    expect((await graphOf('CR Apply ControlNet', { ...links, switch: 'Off' })).made).toEqual([]);
    const on = await graphOf('CR Apply ControlNet', { ...links, switch: 'On' });
    expect(on.made).toEqual([['ControlNetApply', links]]);
  });
});
