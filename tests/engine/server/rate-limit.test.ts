import type { Request, Response } from 'express';
import { describe, expect, it } from 'vitest';
import { refuseAsProblem } from '../../../engine/server/v1/problem.ts';
import { clientNetwork, rateLimit } from '../../../engine/server/rate-limit.ts';

/** Sends one request; answers with the status, 200 when it went through. */
function client(perMinute: number) {
  let time = 0;
  const limit = rateLimit({
    perMinute,
    refuse: (req, res, refusal, plainly) => refuseAsProblem(req, res, refusal) || plainly(),
    now: () => time,
  });
  const headers: Record<string, string> = {};
  const send = (address = '10.0.0.1', method = 'POST', path = '/prompt'): number => {
    let status = 200;
    const res = {
      status: (code: number) => {
        status = code;
        return res;
      },
      set: (name: string, value: string) => {
        headers[name] = value;
        return res;
      },
      send: () => undefined,
    };
    const req = { method, path, socket: { remoteAddress: address } };
    void limit(req as unknown as Request, res as unknown as Response, () => undefined);
    return status;
  };
  return { send, headers, pass: (milliseconds: number) => void (time += milliseconds) };
}

describe('rate limit', () => {
  it('takes as many at once as a minute has, then one by one', () => {
    const { send, headers, pass } = client(6);
    expect(Array.from({ length: 7 }, () => send())).toEqual([200, 200, 200, 200, 200, 200, 429]);
    expect(headers['Retry-After']).toBe('10');
    pass(9_000);
    expect(send()).toBe(429);
    pass(1_000);
    expect(send()).toBe(200);
    expect(send()).toBe(429);
    pass(3_600_000);
    expect(Array.from({ length: 7 }, () => send()).at(-1)).toBe(429);
  });

  it('counts addresses for themselves, and reading not at all', () => {
    const { send } = client(1);
    expect([send('10.0.0.1'), send('10.0.0.1'), send('10.0.0.2')]).toEqual([200, 429, 200]);
    expect([send('10.0.0.1', 'GET'), send('10.0.0.1', 'HEAD')]).toEqual([200, 200]);
    expect(send('10.0.0.1', 'DELETE', '/v1/jobs/a')).toBe(429);
  });

  it('answers in the form of the interface that was asked', () => {
    const { send, headers } = client(1);
    send();
    send('10.0.0.1', 'POST', '/v1/workflows/run');
    expect(headers['Content-Type']).toMatch(/problem\+json/);
    send();
    expect(headers['Content-Type']).toMatch(/^application\/json/);
  });

  it('sets no limit with 0', () => {
    const { send } = client(0);
    expect(Array.from({ length: 50 }, () => send()).every((status) => status === 200)).toBe(true);
  });

  it('takes an IPv6 network for one client', () => {
    expect(clientNetwork('2001:db8:1:2:3:4:5:6')).toBe('2001:db8:1:2');
    expect(clientNetwork('2001:db8:1:2::9')).toBe('2001:db8:1:2');
    expect(clientNetwork('2001:db8::9')).toBe('2001:db8:0:0');
    expect(clientNetwork('::1')).toBe('0:0:0:0');
    expect(clientNetwork('fe80::1%eth0')).toBe('fe80:0:0:0');
    expect(clientNetwork('::ffff:10.0.0.1')).toBe('10.0.0.1');
  });
});
