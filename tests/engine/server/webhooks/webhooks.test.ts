import { createHmac } from 'node:crypto';
import { type IncomingMessage, type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { JobResult } from '../../../../engine/queue/store.ts';
import { createQueue } from '../../../../engine/queue/queue.ts';
import { openSqliteStore } from '../../../../engine/queue/sqlite.ts';
import { leftJson } from '../../../../engine/server/v1/event-json.ts';
import { postWebhook, signedHeaders } from '../../../../engine/server/webhooks/webhook-request.ts';
import { createWebhooks } from '../../../../engine/server/webhooks/webhooks.ts';

const success: JobResult = {
  status: 'success',
  completed: true,
  messages: [],
  outputs: '{"9": {"images": [{"filename": "a b.png", "subfolder": "", "type": "output"}]}}',
  meta: '{}',
};

interface Sent {
  url: string;
  body: string;
  headers: Readonly<Record<string, string>>;
}

describe('notices', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  /** A queue whose webhooks go to `post`. */
  function setup(
    answers: (number | Error)[],
    store = openSqliteStore(':memory:', { maxHistory: 9 }),
  ) {
    const sent: Sent[] = [];
    const warnings: string[] = [];
    const queue = createQueue(store);
    queue.watch({
      left: (ids) => webhooks.jobsLeft(ids.map((id) => ({ id, job: queue.job(id) }))),
    });
    const webhooks = createWebhooks({
      queue,
      payload: (left, base) => JSON.stringify({ type: 'job.finished', job: leftJson(left, base) }),
      rows: store.webhooks,
      post: async (url, body, headers) => {
        sent.push({ url, body, headers });
        const answer = answers.shift() ?? 200;
        if (typeof answer === 'number') return answer;
        throw answer;
      },
      log: (_, text) => warnings.push(text),
      now: Date.now,
    });
    const submit = (id: string): void => {
      queue.submit({
        ...{ id, number: 0, numberText: '0', prompt: '{}', extraData: '{}', outputs: ['9'] },
      });
      webhooks.add({
        jobId: id,
        url: 'https://a.test/hook',
        secret: 'geheimnis',
        base: 'http://me',
      });
    };
    return { sent, warnings, queue, webhooks, submit, store };
  }

  it('carry the finished job, signed', async () => {
    const { sent, queue, webhooks, submit } = setup([]);
    webhooks.start();
    submit('a');
    queue.take();
    expect(sent).toHaveLength(0);
    queue.finish('a', success);
    await vi.advanceTimersByTimeAsync(0);
    expect(sent).toHaveLength(1);
    const [{ url, body, headers }] = sent;
    expect(url).toBe('https://a.test/hook');
    expect(JSON.parse(body)).toMatchObject({
      type: 'job.finished',
      job: {
        id: 'a',
        status: 'completed',
        outputs: [{ url: 'http://me/view?filename=a+b.png&subfolder=&type=output' }],
        urls: { self: 'http://me/v1/jobs/a' },
      },
    });
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
    const expected = createHmac('sha256', 'geheimnis').update(signed).digest('base64');
    expect(headers['webhook-signature']).toBe(`v1,${expected}`);
    expect(webhooks.count()).toBe(0);
  });

  it('tell of a job that was dropped while it waited', async () => {
    const { sent, queue, webhooks, submit } = setup([]);
    webhooks.start();
    submit('a');
    queue.deletePending('a');
    await vi.advanceTimersByTimeAsync(0);
    expect(JSON.parse(sent[0].body)).toEqual({
      type: 'job.finished',
      job: { id: 'a', status: 'cancelled' },
    });
  });

  it('are sent again with longer and longer pauses, and given up in the end', async () => {
    const { sent, warnings, queue, webhooks, submit } = setup([
      500,
      new Error('no route'),
      301,
      200,
    ]);
    webhooks.start();
    submit('a');
    queue.take();
    queue.finish('a', success);
    const counts: number[] = [];
    for (const seconds of [0, 7, 40, 160]) {
      await vi.advanceTimersByTimeAsync(seconds * 1000);
      counts.push(sent.length);
    }
    expect(counts).toEqual([1, 2, 3, 4]);
    expect(webhooks.count()).toBe(0);
    expect(warnings).toEqual([]);
    expect(new Set(sent.map(({ headers }) => headers['webhook-id']))).toEqual(new Set(['a']));

    const hopeless = setup(Array.from({ length: 20 }, () => 500));
    hopeless.webhooks.start();
    hopeless.submit('b');
    hopeless.queue.deletePending('b');
    await vi.advanceTimersByTimeAsync(24 * 3600 * 1000);
    expect(hopeless.sent).toHaveLength(7);
    expect(hopeless.warnings).toEqual([expect.stringMatching(/job b is given up: status 500/)]);
    expect(hopeless.webhooks.count()).toBe(0);
  });

  it('are taken up by the next process', async () => {
    const first = setup([]);
    first.webhooks.start();
    first.submit('waits');
    first.submit('ends');
    first.queue.take();
    // The process ends between the end of the job and its notice.
    first.webhooks.stop();
    first.queue.finish('ends', success);
    const second = setup([], first.store);
    second.webhooks.start();
    await vi.advanceTimersByTimeAsync(0);
    expect(second.sent.map(({ headers }) => headers['webhook-id'])).toEqual(['ends']);
    second.queue.take();
    second.queue.finish('waits', success);
    await vi.advanceTimersByTimeAsync(0);
    expect(second.sent).toHaveLength(2);
  });

  it('go out a few at a time, all of them', async () => {
    const { sent, queue, webhooks, submit } = setup([]);
    webhooks.start();
    for (let i = 0; i < 50; i++) submit(`job-${i}`);
    queue.clearPending();
    await vi.advanceTimersByTimeAsync(100);
    expect(sent).toHaveLength(50);
    expect(webhooks.count()).toBe(0);
  });
});

describe('the signature', () => {
  it('is that of the Standard Webhooks convention', () => {
    // Published vector: https://docs.svix.com/receiving/verifying-payloads/how-manual
    const headers = signedHeaders(
      {
        id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
        seconds: 1614265330,
        secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
      },
      '{"test": 2432232314}',
    );
    expect(headers['webhook-signature']).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  });

  it('is left out without a secret', () => {
    expect(signedHeaders({ id: 'a', seconds: 1 }, '{}')).toEqual({
      'webhook-id': 'a',
      'webhook-timestamp': '1',
    });
  });
});

describe('the request', () => {
  let server: Server;
  let port: number;
  let answer: (request: IncomingMessage, body: string) => { status: number; location?: string };
  beforeEach(async () => {
    server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        const { status, location } = answer(request, body);
        response
          .writeHead(status, location === undefined ? {} : { location })
          .end('x'.repeat(9999));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  });
  afterEach(() => {
    server.close();
    server.closeAllConnections();
  });
  const local = async () => [{ address: '127.0.0.1', family: 4 }];
  const post = (url: string, options: object = {}) =>
    postWebhook(url, '{"a": 1}', { 'webhook-id': 'a' }, { allowPrivate: true, ...options });

  it('posts JSON to the name that was resolved', async () => {
    let seen: unknown;
    answer = (request, body) => {
      seen = {
        body,
        host: request.headers.host,
        url: request.url,
        id: request.headers['webhook-id'],
      };
      return { status: 204 };
    };
    expect(await post(`http://hooks.test:${port}/a?b=c`, { resolve: local })).toBe(204);
    expect(seen).toEqual({ body: '{"a": 1}', host: `hooks.test:${port}`, url: '/a?b=c', id: 'a' });
  });

  it('does not follow redirects', async () => {
    let count = 0;
    answer = () => {
      count++;
      return { status: 302, location: `http://127.0.0.1:${port}/there` };
    };
    expect(await post(`http://127.0.0.1:${port}/`)).toBe(302);
    expect(count).toBe(1);
  });

  it('refuses names that lead where it may not go', async () => {
    answer = () => ({ status: 200 });
    const resolveTo = (...addresses: string[]) => ({
      allowPrivate: false,
      resolve: async () => addresses.map((address) => ({ address, family: 4 })),
    });
    const refused = /refused/;
    await expect(post('http://rebind.test/', resolveTo('127.0.0.1'))).rejects.toThrow(refused);
    await expect(post('http://mixed.test/', resolveTo('8.8.8.8', '10.0.0.1'))).rejects.toThrow(
      refused,
    );
    await expect(
      post('http://meta.test/', { ...resolveTo('169.254.169.254'), allowPrivate: true }),
    ).rejects.toThrow(refused);
    await expect(post('http://none.test/', resolveTo())).rejects.toThrow(/no address/);
  });

  it.each([
    ['http://127.0.0.1/', /private or loopback/],
    ['http://2130706433/', /private or loopback/],
    ['http://0x7f.1/', /private or loopback/],
    ['http://[::ffff:10.0.0.1]/', /private or loopback/],
    ['http://localhost:1234/', /this machine/],
    ['http://a.localhost./', /this machine/],
    ['http://169.254.169.254/latest/meta-data', /metadata/],
    ['ftp://example.com/', /not http or https/],
    ['file:///etc/passwd', /not http or https/],
    ['https://user:pass@example.com/', /credentials/],
    ['nonsense', /not an address/],
  ])('refuses %s before it asks the network', async (url, reason) => {
    const resolve = () => Promise.reject(new Error('asked'));
    await expect(post(url, { allowPrivate: false, resolve })).rejects.toThrow(reason);
  });

  it('gives up after its time', async () => {
    server.removeAllListeners('request');
    await expect(post(`http://127.0.0.1:${port}/`, { timeout: 150 })).rejects.toThrow(
      /abort|time/i,
    );
  });
});
