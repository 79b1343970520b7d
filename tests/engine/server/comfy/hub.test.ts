import { describe, expect, it } from 'vitest';
import { createHub } from '../../../../engine/server/comfy/hub.ts';
import type { HubSocket } from '../../../../engine/server/comfy/hub.ts';
import { decodeFrame } from '../../../../engine/protocol.ts';

/** A socket whose reader the test plays: nothing leaves the buffer before `read`. */
function fakeSocket({ slow = false } = {}) {
  const sent: string[] = [];
  const listeners: Record<string, (...args: never[]) => void> = {};
  let callbacks: (() => void)[] = [];
  const socket = {
    readyState: 1,
    bufferedAmount: 0,
    closed: undefined as number | undefined,
    terminated: false,
    send: (data: string | Uint8Array, done: () => void) => {
      sent.push(typeof data === 'string' ? data : `frame ${decodeFrame(data)?.type}`);
      if (slow) {
        socket.bufferedAmount += data.length;
        callbacks.push(done);
      } else done();
    },
    close: (code?: number) => {
      socket.closed = code;
      socket.readyState = 3;
    },
    terminate: () => {
      socket.terminated = true;
      socket.readyState = 3;
    },
    on: (event: string, listener: (...args: never[]) => void) => void (listeners[event] = listener),
  };
  const emit = (event: string, ...args: unknown[]): void => listeners[event](...(args as never[]));
  return {
    socket: socket as unknown as HubSocket,
    raw: socket,
    sent,
    emit,
    say: (text: string) => emit('message', text, false),
    read: () => {
      socket.bufferedAmount = 0;
      const done = callbacks;
      callbacks = [];
      done.forEach((callback) => callback());
    },
  };
}

const types = (sent: readonly string[]): string[] =>
  sent.map((text) =>
    text.startsWith('frame') ? text : (JSON.parse(text) as { type: string }).type,
  );

const hubOf = (options: Partial<Parameters<typeof createHub>[0]> = {}) =>
  createHub({
    features: { supports_preview_metadata: true, max_upload_size: 1 },
    remaining: () => 2,
    activeNode: () => undefined,
    ...options,
  });

const image = new Uint8Array(2000);
const preview = { type: 'preview', imageType: 'image/jpeg', image } as const;

describe('hub', () => {
  it('greets with the only status that has a sid', () => {
    const hub = hubOf();
    const client = fakeSocket();
    hub.attach(client.socket, 'a"b');
    hub.broadcastStatus();
    expect(client.sent.map((text) => JSON.parse(text) as unknown)).toEqual([
      { type: 'status', data: { status: { exec_info: { queue_remaining: 2 } }, sid: 'a"b' } },
      { type: 'status', data: { status: { exec_info: { queue_remaining: 2 } } } },
    ]);
  });

  it('reads feature flags from the first well-formed object only', () => {
    const hub = hubOf();
    const client = fakeSocket();
    hub.attach(client.socket, 'a');
    client.say('no json');
    client.say('[1]');
    client.say('{"type": "feature_flags", "data": {"supports_preview_metadata": 1}}');
    client.say('{"type": "feature_flags", "data": {"supports_preview_metadata": true}}');
    expect(types(client.sent)).toEqual(['status', 'feature_flags']);
    hub.sendFrame({ sid: 'a' }, preview, 'flagged');
    expect(client.sent).toHaveLength(2); // 1 is not true
    const other = fakeSocket();
    hub.attach(other.socket, 'b');
    other.say('{"type": "ping"}');
    other.say('{"type": "feature_flags", "data": {}}');
    expect(types(other.sent)).toEqual(['status']);
  });

  it('tells the newest socket of a client; an older one stays open and is told when it is alone', () => {
    const hub = hubOf({ activeNode: (sid) => (sid === 'a' ? '7' : undefined) });
    const [before, after] = [fakeSocket(), fakeSocket()];
    hub.attach(before.socket, 'a');
    hub.attach(after.socket, 'a');
    expect(before.raw.closed).toBeUndefined();
    hub.send({ sid: 'a' }, 'executed', '{}');
    hub.broadcastStatus();
    expect(types(after.sent)).toEqual(['status', 'executing', 'executed', 'status']);
    expect(JSON.parse(after.sent[1])).toEqual({ type: 'executing', data: { node: '7' } });
    expect(before.sent).toHaveLength(2);
    after.emit('close');
    hub.send({ sid: 'a' }, 'executed', '{}');
    expect(types(before.sent)).toEqual(['status', 'executing', 'executed']);
    before.emit('close');
    expect(hub.has('a')).toBe(false);
  });

  it('keeps so many sockets of one client, and none that takes nothing', () => {
    const hub = hubOf({ softLimit: 1000 });
    const sockets = Array.from({ length: 40 }, () => fakeSocket());
    sockets.forEach(({ socket }) => hub.attach(socket, 'a'));
    const open = sockets.filter(({ raw }) => raw.closed === undefined);
    expect(open).toEqual(sockets.slice(-16));
    const stuck = fakeSocket({ slow: true });
    hub.attach(stuck.socket, 'a');
    hub.sendFrame({ sid: 'a' }, preview, 'any');
    hub.attach(fakeSocket().socket, 'a');
    expect(stuck.raw.closed).toBe(4001);
  });

  it('holds back what can be dropped from a slow reader, the latest of each kind', () => {
    const hub = hubOf({ softLimit: 1000 });
    const client = fakeSocket({ slow: true });
    hub.attach(client.socket, 'a');
    hub.sendFrame({ sid: 'a' }, preview, 'any'); // fills the buffer
    for (let step = 1; step <= 50; step++) {
      hub.send({ sid: 'a' }, 'progress_state', `{"step": ${step}}`, 'progress_state');
      hub.send({ sid: 'a' }, 'progress', `{"step": ${step}}`, 'progress');
      hub.sendFrame({ sid: 'a' }, preview, 'any');
    }
    expect(types(client.sent)).toEqual(['status', 'frame preview']);
    client.read();
    expect(types(client.sent).slice(2)).toEqual(['progress_state', 'progress', 'frame preview']);
    expect(client.sent[2]).toContain('"step": 50');
  });

  it('never lets something older overtake what must arrive', () => {
    const hub = hubOf({ softLimit: 1000 });
    const client = fakeSocket({ slow: true });
    hub.attach(client.socket, 'a');
    hub.sendFrame({ sid: 'a' }, preview, 'any');
    hub.send({ sid: 'a' }, 'progress_state', '{"step": 1}', 'progress_state');
    hub.sendFrame({ sid: 'a' }, preview, 'any');
    hub.send({ sid: 'a' }, 'executed', '{}');
    client.read();
    expect(types(client.sent)).toEqual(['status', 'frame preview', 'progress_state', 'executed']);
  });

  it('leaves out no picture that is a result', () => {
    const hub = hubOf({ softLimit: 1000 });
    const client = fakeSocket({ slow: true });
    hub.attach(client.socket, 'a');
    for (let i = 0; i < 3; i++) {
      hub.sendFrame({ sid: 'a' }, preview, 'any');
      hub.sendFrame({ sid: 'a' }, { ...preview, imageType: 'image/png' }, 'any');
    }
    client.read();
    const pictures = client.sent.slice(1).length;
    expect(pictures).toBe(4); // the first preview, which found the socket idle, and all results
  });

  it('gives up a socket that takes nothing', () => {
    const hub = hubOf({ hardLimit: 5000 });
    const client = fakeSocket({ slow: true });
    hub.attach(client.socket, 'a');
    for (let i = 0; i < 100; i++) hub.send({ sid: 'a' }, 'executed', `"${'x'.repeat(500)}"`);
    expect(client.raw.terminated).toBe(true);
    expect(hub.has('a')).toBe(false);
    expect(client.raw.bufferedAmount).toBeLessThan(6000);
  });

  it('carries a thousand idle clients', () => {
    const hub = hubOf();
    const clients = Array.from({ length: 1000 }, () => fakeSocket());
    clients.forEach(({ socket }, i) => hub.attach(socket, `c${i}`));
    const begin = performance.now();
    for (let i = 0; i < 10; i++) hub.broadcastStatus();
    expect(performance.now() - begin).toBeLessThan(500);
    expect(clients.every(({ sent }) => sent.length === 11)).toBe(true);
  });
});
