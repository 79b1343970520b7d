/** A token bucket per client address for requests that change something. */
import type { RequestHandler } from 'express';
import { isIPv6 } from 'node:net';
import { LRUCache } from 'lru-cache';
import { sendError } from './answer.ts';
import type { Refuse } from './face.ts';

export interface RateLimitOptions {
  /** Requests a minute, and as many at once; 0 sets no limit. */
  readonly perMinute: number;
  readonly refuse: Refuse;
  readonly now?: () => number;
}

/** Addresses that are remembered; one that is forgotten begins with a full bucket. */
const MOST_ADDRESSES = 20_000;

interface Bucket {
  tokens: number;
  at: number;
}

/** Answers 429 with Retry-After when the bucket of the request's address is empty. */
export function rateLimit({ perMinute, refuse, now = Date.now }: RateLimitOptions): RequestHandler {
  if (perMinute <= 0) return (_req, _res, next) => next();
  const buckets = new LRUCache<string, Bucket>({ max: MOST_ADDRESSES });
  const perMillisecond = perMinute / 60_000;
  return (req, res, next) => {
    if (req.method === 'GET' || req.method === 'HEAD' || req.method === 'OPTIONS') return next();
    const address = clientNetwork(req.socket.remoteAddress ?? '');
    const bucket = buckets.get(address) ?? { tokens: perMinute, at: now() };
    buckets.set(address, bucket);
    const elapsed = Math.max(0, now() - bucket.at);
    bucket.tokens = Math.min(perMinute, bucket.tokens + elapsed * perMillisecond);
    bucket.at = now();
    if (bucket.tokens >= 1) {
      bucket.tokens--;
      return next();
    }
    const seconds = Math.ceil((1 - bucket.tokens) / perMillisecond / 1000);
    res.set('Retry-After', String(seconds));
    const message = `more than ${perMinute} changes a minute; try again in ${seconds} s`;
    refuse(req, res, { status: 429, code: 'rate_limited', message }, () =>
      sendError(res, 429, { type: 'rate_limited', message }),
    );
  };
}

/** An IPv6 client has a whole /64 to take addresses from: it counts as one. */
export function clientNetwork(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(address)) return address;
  const [head, tail] = address
    .replace(/%.*$/, '')
    .split('::', 2)
    .map((part) => part.split(':'));
  const words =
    tail === undefined
      ? head
      : [
          ...head,
          ...Array.from({ length: Math.max(0, 8 - head.length - tail.length) }, () => '0'),
          ...tail,
        ];
  return words
    .slice(0, 4)
    .map((word) => Number.parseInt(word || '0', 16).toString(16))
    .join(':');
}
