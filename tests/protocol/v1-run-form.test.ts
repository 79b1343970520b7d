/** The form's API from a plain HTTP client (curl), as docs/api.md shows it: named, typed, checked values in, a picture out. */
import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startServer, type TestServer } from '../support/server.ts';

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly bytes: Buffer;
}
interface Problem {
  readonly code: string;
  readonly detail: string;
  readonly errors?: readonly { input: string; pointer: string; detail: string }[];
}
interface Run {
  readonly id: string;
  readonly status: string;
  readonly values: Readonly<Record<string, unknown>>;
  readonly outputs: readonly { url: string; filename: string }[];
}

interface Document {
  readonly paths: Readonly<
    Record<
      string,
      {
        post: {
          requestBody: { content: Record<string, { schema: FormSchema }> };
          responses: Record<string, unknown>;
        };
      }
    >
  >;
}
interface FormSchema {
  readonly properties: { values: { properties: Record<string, unknown> } };
}

const run = promisify(execFile);
const checkpoints = fileURLToPath(new URL('../../models/checkpoints', import.meta.url));
const base = mkdtempSync(join(tmpdir(), 'noodle-run-form-'));
const body = join(base, 'answer');
const hasCurl = spawnSync('curl', ['--version']).status === 0;
let server: TestServer;

/** A request by a command line of curl, without any of our code; by Node's own client where there is no curl. */
async function send(path: string, data?: string): Promise<Answer> {
  const url = path.startsWith('http') ? path : server.url + path;
  if (!hasCurl) {
    const headers = { 'Content-Type': 'application/json' };
    const response = await fetch(
      url,
      data === undefined ? {} : { method: 'POST', headers, body: data },
    );
    const type = response.headers.get('content-type') ?? '';
    return { status: response.status, type, bytes: Buffer.from(await response.arrayBuffer()) };
  }
  const post = data === undefined ? [] : ['-H', 'Content-Type: application/json', '-d', data];
  const format = '%{http_code} %{content_type}';
  const { stdout } = await run('curl', ['-sS', '-o', body, '-w', format, ...post, url]);
  const [status, type] = stdout.split(' ');
  return { status: Number(status), type, bytes: readFileSync(body) };
}
const post = (path: string, data: unknown): Promise<Answer> => send(path, JSON.stringify(data));
const json = <T>({ bytes }: Answer): T => JSON.parse(bytes.toString()) as T;

/** A saved prompt with a field of every kind. */
const everyKind = {
  1: { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: 'tiny-scenes.safetensors' } },
  2: { class_type: 'CLIPTextEncode', inputs: { clip: ['1', 1], text: 'a red circle' } },
  3: { class_type: 'LoadImage', inputs: { image: 'photo.png' } },
  4: { class_type: 'VAEEncode', inputs: { pixels: ['3', 0], vae: ['1', 2] } },
  5: {
    class_type: 'KSamplerAdvanced',
    inputs: {
      ...{ model: ['1', 0], positive: ['2', 0], negative: ['2', 0], latent_image: ['4', 0] },
      ...{ add_noise: 'enable', noise_seed: 3, steps: 4, cfg: 4, sampler_name: 'euler' },
      ...{ scheduler: 'normal', start_at_step: 0, end_at_step: 10000 },
      return_with_leftover_noise: 'disable',
    },
  },
  6: { class_type: 'VAEDecode', inputs: { samples: ['5', 0], vae: ['1', 2] } },
  7: {
    class_type: 'ImageCompositeMasked',
    inputs: {
      ...{ destination: ['6', 0], source: ['3', 0], x: 0, y: 0, resize_source: false },
    },
  },
  8: { class_type: 'SaveImage', inputs: { images: ['7', 0], filename_prefix: 'kinds' } },
};

beforeAll(async () => {
  mkdirSync(join(base, 'models'));
  mkdirSync(join(base, 'input'));
  mkdirSync(join(base, 'user/default/workflows'), { recursive: true });
  symlinkSync(checkpoints, join(base, 'models/checkpoints'));
  await sharp({ create: { width: 64, height: 64, channels: 3, background: 'teal' } })
    .png()
    .toFile(join(base, 'input/photo.png'));
  writeFileSync(join(base, 'user/default/workflows/kinds.json'), JSON.stringify(everyKind));
  server = await startServer({ base });
});
afterAll(async () => {
  await server?.stop();
  rmSync(base, { recursive: true, force: true });
});

describe('a saved workflow run by curl', () => {
  it('takes named values and answers with the picture they ask for', async () => {
    const values = { prompt: 'a blue star', seed: 7, width: 96, steps: 4 };
    const answer = await post('/v1/workflows/text-to-image/run', { values, wait: 60 });
    expect(answer.status).toBe(200);
    const job = json<Run>(answer);
    expect(job.status).toBe('completed');
    expect(job.values).toMatchObject({ '2.text': 'a blue star', '4.seed': 7, '6.height': 128 });
    const picture = await send(job.outputs[0].url);
    expect([picture.status, picture.type]).toEqual([200, 'image/png']);
    expect(await sharp(picture.bytes).metadata()).toMatchObject({ width: 96, height: 128 });
    expect(picture.bytes.includes('a blue star')).toBe(true);
  });

  it('answers at once without `wait`, and the job says when the picture is there', async () => {
    const values = { prompt: 'a moon', '4.steps': 2 };
    const answer = await post('/v1/workflows/text-to-image/run', { values });
    expect(answer.status).toBe(202);
    const { id } = json<Run>(answer);
    const job = async () => json<Run>(await send(`/v1/jobs/${id}`));
    await expect.poll(async () => (await job()).status, { timeout: 20_000 }).toBe('completed');
    expect((await job()).outputs).toHaveLength(1);
  });

  it.each([
    ['prompt', 5, 'must be a text'],
    ['filename_prefix', false, 'must be a text'],
    ['image', 7, 'must name a file'],
    ['seed', 1.5, 'must be a whole number'],
    ['seed', -1, 'must be >= 0'],
    ['steps', '20', 'must be a whole number'],
    ['steps', 0, 'must be >= 1'],
    ['steps', 10_001, 'must be <= 10000'],
    ['cfg', 'high', 'must be a number'],
    ['cfg', 101, 'must be <= 100'],
    ['resize_source', 'no', 'must be true or false'],
    ['scheduler', 'never', /^must be one of simple, .*normal/],
    ['checkpoint', 'other.safetensors', 'must be one of tiny-scenes.safetensors'],
    ['colour', 1, 'is no field of this form'],
  ])('refuses %s: %j', async (name, value, detail) => {
    const answer = await post('/v1/workflows/kinds/run', { values: { [name]: value } });
    expect([answer.status, answer.type.split(';')[0]]).toEqual([400, 'application/problem+json']);
    expect(json<Problem>(answer)).toMatchObject({
      code: 'validation_failed',
      detail: `Not every value is what its field takes: ${name}.`,
      errors: [
        {
          input: name,
          pointer: `/values/${name}`,
          detail: expect.stringMatching(detail) as string,
        },
      ],
    });
  });

  it('says of a picture that is not there which node wants it', async () => {
    const values = { image: 'gone.png' };
    const answer = await post('/v1/workflows/kinds/run', { values });
    expect(answer.status).toBe(400);
    expect(answer.bytes.toString()).toContain('gone.png');
  });

  it.each([
    ['nothing', '{}', 404, 'file_not_found', "workflow 'nothing' was not found"],
    ['%2e%2e%2fx', '{}', 403, 'path_outside', /outside the folder/],
    ['kinds', '[]', 400, 'validation_failed', 'The body should be a JSON object.'],
    ['kinds', '{"values"', 400, 'bad_json', /^The body is no JSON/],
    ['kinds', '{"values": 3}', 400, 'validation_failed', /request body/],
    ['kinds', '{"valus": {}}', 400, 'validation_failed', /request body/],
  ])('refuses to run %s with %s', async (id, data, status, code, detail) => {
    const answer = await send(`/v1/workflows/${id}/run`, data);
    expect(answer.status).toBe(status);
    expect(json<Problem>(answer)).toMatchObject({
      code,
      detail: expect.stringMatching(detail) as string,
    });
  });

  it("stands in the API's document with the types and limits that were refused above", async () => {
    const path = '/v1/workflows/kinds/run';
    const { paths } = json<Document>(await send('/v1/openapi.json'));
    const own = json<Document>(await send('/v1/workflows/kinds/openapi.json'));
    expect(own.paths[path]).toEqual(paths[path]);
    const { schema } = paths[path].post.requestBody.content['application/json'];
    expect(schema.properties.values.properties).toMatchObject({
      prompt: { type: 'string' },
      steps: { type: 'integer', minimum: 1, maximum: 10_000 },
      cfg: { type: 'number', minimum: 0, maximum: 100 },
      resize_source: { type: 'boolean' },
      checkpoint: { enum: ['tiny-scenes.safetensors'] },
    });
    expect(Object.keys(paths[path].post.responses)).toEqual(['200', '202', '400', '429']);
  });
});
