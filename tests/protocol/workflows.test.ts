/** Saved workflows and their forms on a real server; every answer is held against the API's document. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type PublicApi, openPublicApi } from '../support/public-api.ts';
import { type TestServer, startServer } from '../support/server.ts';
import { pngWithText } from '../web/support/png-with-text.ts';

/* eslint-disable @typescript-eslint/no-explicit-any, @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-return, @typescript-eslint/no-unsafe-call -- JSON from the wire */

let server: TestServer;
let api: PublicApi;

beforeAll(async () => {
  server = await startServer();
  api = await openPublicApi(server);
  await vi.waitFor(async () => expect((await server.get('/readyz')).status).toBe(200), 20_000);
});
afterAll(() => server?.stop());

const call = (method: string, path: string, body?: unknown) => api.call(method, path, body);
const at = (id: string, part = ''): string => `/v1/workflows/${encodeURIComponent(id)}${part}`;

/** One colour, with a primitive for both sides. */
const workflow = (extra: object = {}) => ({
  ...{ id: 'wf-colour', version: 0.4, last_node_id: 3, last_link_id: 3 },
  nodes: [
    {
      ...{ id: 1, type: 'EmptyImage', pos: [0, 0], size: [1, 1], mode: 0, order: 0, flags: {} },
      inputs: [
        { name: 'width', type: 'INT', link: 2, widget: { name: 'width' } },
        { name: 'height', type: 'INT', link: 3, widget: { name: 'height' } },
      ],
      outputs: [{ name: 'IMAGE', type: 'IMAGE', links: [1] }],
      ...{ properties: {}, widgets_values: [8, 8, 1, 255] },
    },
    {
      ...{ id: 2, type: 'SaveImage', pos: [0, 0], size: [1, 1], mode: 0, order: 1, flags: {} },
      inputs: [{ name: 'images', type: 'IMAGE', link: 1 }],
      ...{ properties: {}, widgets_values: ['%EmptyImage.color%-colour'] },
    },
    {
      ...{ id: 3, type: 'PrimitiveNode', pos: [0, 0], size: [1, 1], mode: 0, order: 2, flags: {} },
      outputs: [{ name: 'INT', type: 'INT', links: [2, 3] }],
      ...{ title: 'Side', properties: {}, widgets_values: [16, 'fixed'] },
    },
  ],
  links: [
    [1, 1, 0, 2, 0, 'IMAGE'],
    [2, 3, 0, 1, 0, 'INT'],
    [3, 3, 0, 1, 1, 'INT'],
  ],
  extra,
});

const prompt = {
  1: { class_type: 'EmptyImage', inputs: { width: 8, height: 8, batch_size: 1, color: 7 } },
  2: { class_type: 'SaveImage', inputs: { images: ['1', 0], filename_prefix: 'api' } },
};

describe('the library', () => {
  it('lists the forms of the program, and saves what it is given', async () => {
    const before = await call('GET', '/v1/workflows');
    expect(before.json.workflows.map(({ id }: any) => id)).toEqual([
      ...['image-to-image', 'inpaint', 'text-to-image', 'upscale'],
    ]);
    const { status, json } = await call('POST', '/v1/workflows', {
      name: 'colour',
      folder: 'tests',
      workflow: workflow(),
    });
    expect([status, json.id, json.name, json.builtin]).toEqual([
      ...[201, 'tests/colour', 'colour', false],
    ]);
    const again = await call('POST', '/v1/workflows', { name: 'api', workflow: { prompt } });
    expect(again.json.id).toBe('api');
    const refused = await call('POST', '/v1/workflows', { name: 'api', workflow: prompt });
    expect([refused.status, refused.json.code]).toEqual([409, 'file_exists']);
    const found = await call('GET', '/v1/workflows?q=COLOUR');
    expect(found.json.workflows).toMatchObject([{ id: 'tests/colour', app: false }]);
  });

  it('takes the workflow out of a picture', async () => {
    const png = await pngWithText([{ key: 'workflow', text: JSON.stringify(workflow()) }]);
    const picture = png.toString('base64');
    await call('POST', '/v1/workflows', { name: 'from picture', picture });
    const { json } = await call('GET', at('from picture'));
    expect(json.workflow.nodes).toHaveLength(3);
    const none = await call('POST', '/v1/workflows', { name: 'x', picture: 'bm8=' });
    expect([none.status, none.json.errors[0].pointer]).toEqual([400, '/picture']);
  });

  it('is the folder that the editor saves into, and keeps files as they are', async () => {
    const folder = join(server.base, 'user', 'default', 'workflows');
    const stored = JSON.parse(readFileSync(join(folder, 'tests', 'colour.json'), 'utf8'));
    expect(stored).toEqual(workflow());
    mkdirSync(join(folder, 'deep'), { recursive: true });
    writeFileSync(join(folder, 'deep', 'broken.json'), '{');
    expect((await call('GET', '/v1/workflows?q=broken')).json.total).toBe(1);
    const broken = await call('GET', at('deep/broken', '/form'));
    expect([broken.status, broken.json.code]).toEqual([400, 'bad_input']);
    await call('PUT', at('deep/broken'), { id: 'mended', workflow: workflow() });
    expect((await call('GET', at('mended'))).status).toBe(200);
    await call('DELETE', at('mended'));
    expect((await call('GET', at('mended'))).status).toBe(404);
    expect((await call('GET', at('../../users'))).status).toBe(403);
  });

  it('exports the prompt of an editor workflow', async () => {
    const { json } = await call('GET', `${at('tests/colour')}?format=api`);
    expect(json.workflow['1'].inputs).toEqual({ width: 16, height: 16, batch_size: 1, color: 255 });
  });

  it('keeps the forms of the program', async () => {
    const { status, json } = await call('DELETE', at('upscale'));
    expect([status, json.code]).toEqual([409, 'read_only']);
  });

  it('tells what is wrong and what is missing', async () => {
    const { json } = await call('POST', '/v1/workflows/validate', {
      workflow: {
        ...prompt,
        1: { class_type: 'EmptyImage', inputs: { width: 'wide', height: 8, batch_size: 1 } },
        3: { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: 'big.safetensors' } },
        4: { class_type: 'NobodyHasThis', inputs: {} },
      },
    });
    expect(json).toMatchObject({ valid: false, format: 'api' });
    expect(json.requirements).toMatchObject({
      ready: false,
      nodes_missing: [{ class_type: 'NobodyHasThis', nodes: ['4'] }],
      models: [{ folder: 'checkpoints', name: 'big.safetensors', installed: false, url: null }],
    });
    const good = await call('POST', '/v1/workflows/validate', { workflow: workflow() });
    expect(good.json).toMatchObject({ valid: true, format: 'editor', errors: [] });
    const needs = await call('GET', at('tests/colour', '/requirements'));
    expect(needs.json).toMatchObject({ ready: true, nodes_missing: [], models: [] });
  });
});

describe('a form', () => {
  it('is found by rule, and a primitive is one field', async () => {
    const { json } = await call('GET', at('tests/colour', '/form'));
    expect(json.source).toBe('rules');
    const side = json.fields.find(({ label }: any) => label === 'Side');
    expect(side).toMatchObject({ name: 'side', kind: 'int', default: 16 });
    expect(side.targets).toEqual(['1.width', '1.height']);
    expect(json.outputs).toMatchObject([{ node_id: '2', class_type: 'SaveImage', shown: true }]);
  });

  it('runs with named values, which the picture and its workflow hold', async () => {
    const { status, json } = await call('POST', at('tests/colour', '/run'), {
      values: { side: 24, '1.color': 65280 },
      wait: 20,
    });
    expect([status, json.status]).toEqual([200, 'completed']);
    expect(json.values).toMatchObject({ '1.width': 24, '1.color': 65280 });
    expect(json.outputs[0].filename).toMatch(/^65280-colour/);
    const detail = (await call('GET', `/v1/jobs/${json.id}?include=prompt`)).json;
    expect(detail.prompt['1'].inputs).toMatchObject({ width: 24, height: 24, color: 65280 });
    const { nodes } = detail.extra_data.extra_pnginfo.workflow;
    expect(nodes.map((node: any) => node.widgets_values)).toEqual([
      ...[[8, 8, 1, 65280], ['%EmptyImage.color%-colour'], [24, 'fixed']],
    ]);
  });

  it('remembers its runs with their values', async () => {
    const { json } = await call('GET', at('tests/colour', '/runs'));
    expect(json.runs[0].values).toMatchObject({ '1.width': 24, '1.color': 65280 });
    const listed = await call('GET', '/v1/workflows?q=tests/colour');
    expect(listed.json.workflows[0].picture).toContain('/view?filename=65280-colour');
  });

  it('runs prompts of the API format too', async () => {
    const { json } = await call('POST', at('api', '/run'), { values: { color: 9 }, wait: 20 });
    expect([json.status, json.values['1.color']]).toEqual(['completed', 9]);
    expect((await call('GET', at('api', '/runs'))).json.total).toBe(1);
  });

  it('says of each value what is wrong with it', async () => {
    const { status, json } = await call('POST', at('tests/colour', '/run'), {
      values: { side: 0, '1.color': 'red', batch_size: 1.5, nothing: 1 },
    });
    expect([status, json.code]).toEqual([400, 'validation_failed']);
    expect(json.errors).toEqual([
      { pointer: '/values/side', input: 'side', detail: 'must be >= 1' },
      { pointer: '/values/1.color', input: '1.color', detail: 'must be a whole number' },
      { pointer: '/values/batch_size', input: 'batch_size', detail: 'must be a whole number' },
      { pointer: '/values/nothing', input: 'nothing', detail: 'is no field of this form' },
    ]);
  });

  it('is chosen by an author, in the way ComfyUI reads it', async () => {
    const linearData = {
      inputs: [
        [1, 'color', { height: 90, description: 'The colour as a number' }],
        [77, 'gone'],
      ],
      outputs: [2],
    };
    await call('PUT', at('tests/colour'), { workflow: workflow({ linearData, ds: { scale: 2 } }) });
    const { json } = await call('GET', at('tests/colour', '/form'));
    expect(json.source).toBe('app');
    expect(json.fields[0]).toMatchObject({
      ...{ key: '1.color', help: 'The colour as a number', hidden: false },
    });
    expect(json.fields.slice(1).every(({ hidden }: any) => hidden)).toBe(true);
    expect(json.warnings).toEqual(['the form asks for gone of node 77, which is not there']);

    const changed = await call('PUT', at('tests/colour', '/form'), {
      title: 'Colours',
      fields: [
        { key: '1.width', label: 'Size', section: 'Shape', min: 8, max: 64, step: 8, default: 32 },
        { key: '1.color' },
      ],
      outputs: ['2'],
    });
    expect(changed.json).toMatchObject({ title: 'Colours', source: 'app' });
    expect(changed.json.fields.slice(0, 2)).toMatchObject([
      { key: '1.width', label: 'Size', name: 'size', section: 'Shape', default: 32, max: 64 },
      { key: '1.color', help: '' },
    ]);
    const { extra } = (await call('GET', at('tests/colour'))).json.workflow;
    expect(extra).toEqual({
      ds: { scale: 2 },
      linearData: {
        inputs: [
          [1, 'width'],
          [1, 'color', { height: 90 }],
          [77, 'gone'],
        ],
        outputs: [2],
      },
      noodle: {
        form: {
          title: 'Colours',
          fields: {
            '1.width': { label: 'Size', section: 'Shape', min: 8, max: 64, step: 8 },
            '1.color': {},
          },
        },
      },
    });
    const tooLarge = await call('POST', at('tests/colour', '/run'), { values: { size: 100 } });
    expect(tooLarge.json.errors[0].detail).toBe('must be <= 64');
    const back = await call('PUT', at('tests/colour', '/form'), { fields: null });
    expect(back.json.source).toBe('rules');
  });

  it('has an operation of its own with the types of its values', async () => {
    const { json } = await call('GET', at('tests/colour', '/openapi.json'));
    const [operation] = Object.values<any>(json.paths).map((item) => item.post);
    expect(operation.operationId).toBe('run_tests_colour');
    const body = operation.requestBody.content['application/json'].schema;
    expect(body.properties.values.properties.side).toMatchObject({
      ...{ type: 'integer', minimum: 1, maximum: 16384, default: 32 },
    });
    const check = new Ajv2020({ strict: false, validateFormats: false }).addSchema(json, 'own');
    const valid = check.compile({ ...body, components: json.components });
    expect(valid({ values: { side: 'big' } })).toBe(false);
    const whole = await server.json('/v1/openapi.json');
    expect(Object.keys(whole.paths)).toContain('/v1/workflows/tests%2Fcolour/run');
  });

  it('of the program shows what newcomers need', async () => {
    const { json } = await call('GET', at('text-to-image', '/form'));
    expect(json.title).toBe('Text to image');
    const shown = json.fields.filter(({ hidden }: any) => !hidden).map(({ name }: any) => name);
    expect(shown).toEqual([
      ...['prompt', 'negative_prompt', 'width', 'height', 'batch', 'seed', 'steps', 'cfg', 'model'],
    ]);
  });
});

it('every operation of this part was called with success', () => {
  expect(api.uncalled((tag) => tag === 'Library' || tag === 'Forms')).toEqual([]);
});
