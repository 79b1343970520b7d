import { expect, it } from 'vitest';
import { type InputKind, contentType, isKind } from '../../../engine/store/content-type.ts';

it.each([
  ['a.PNG', 'image/png'],
  ['b.tar.gz', 'application/octet-stream'],
  ['c.heic', 'image/heic'],
  ['d.3gp', 'audio/3gpp'],
  ['png', 'application/octet-stream'],
  ['e.constructor', 'application/octet-stream'],
])('%s is %s', (name, type) => {
  expect(contentType(name)).toBe(type);
});

it.each<[InputKind, string]>([
  ['image', 'a.png b.WEBP c.svg d.pnm'],
  ['audio', 'e.wav f.3gp g.flac h.opus'],
  ['video', 'i.mp4 j.mkv k.movie'],
  ['latent', 'l.latent'],
])('of the kind %s are only %s', (kind, members) => {
  const all =
    'a.png b.WEBP c.svg d.pnm e.wav f.3gp g.flac h.opus i.mp4 j.mkv k.movie l.latent m.txt n';
  expect(all.split(' ').filter((name) => isKind(name, kind))).toEqual(members.split(' '));
  expect(isKind('n', 'any')).toBe(true);
});
