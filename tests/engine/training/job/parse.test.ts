import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findJob, jobEnvironment, ownPlaces } from '../../../../engine/training/job/find-job.ts';
import { parseJob } from '../../../../engine/training/job/parse.ts';

const yaml = (text: string): unknown => parseJob('job.yaml', text, {});

describe('YAML', () => {
  it('has the numbers and words of version 1.1 as PyYAML reads them', () => {
    const numbers = 'a: 1e-4\nb: 5e-06\nc: .5\nd: 1_000\ne: -1.5\nf: 0x10\ng: 1.\nh: 1.5e3';
    expect(yaml(numbers)).toEqual({
      ...{ a: 1e-4, b: 5e-6, c: 0.5, d: 1000, e: -1.5 },
      ...{ f: 16, g: 1, h: 1500 },
    });
    const words = 'a: yes\nb: Off\nc: n\nd: e5\ne: 12:30\nf: 2024-01-01\ng: ~\nh: "1e-4"\ni: .';
    expect(yaml(words)).toEqual({
      ...{ a: true, b: false, c: 'n', d: 'e5', e: '12:30' },
      ...{ f: '2024-01-01', g: null, h: '1e-4', i: '.' },
    });
  });

  it('has anchors and merge keys', () => {
    expect(yaml('a: &a {x: 1, y: 2}\nb:\n  <<: *a\n  y: 3\nc: *a')).toEqual({
      a: { x: 1, y: 2 },
      b: { x: 1, y: 3 },
      c: { x: 1, y: 2 },
    });
  });

  it('makes nothing of tags', () => {
    expect(yaml('a: !!python/object/apply:os.system [ls]')).toEqual({ a: ['ls'] });
    expect(Object.getPrototypeOf(yaml('__proto__: {x: 1}'))).toBe(Object.prototype);
  });

  it.each([
    ['aliases that unfold without end', bomb()],
    ['a list in itself', 'a: &a\n  - *a'],
    ['brackets', '['.repeat(100_000)],
    ['braces', '{a: '.repeat(100_000)],
    ['dashes', '- '.repeat(50_000)],
    ['question marks', '? '.repeat(50_000)],
    ['indents', Array.from({ length: 700 }, (_, i) => `${' '.repeat(i)}a:`).join('\n')],
    ['length', `a: ${'x'.repeat(600_000)}`],
    ['several documents', 'a: 1\n---\nb: 2'],
    ['what is none', 'a: b: c'],
  ])('refuses %s', (_, text) => {
    expect(() => yaml(text)).toThrow(/too deep|deeper|cannot be read|longer/);
  });
});

function bomb(): string {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x]'];
  for (let i = 1; i < 9; i++)
    lines.push(
      `a${i}: &a${i} [${Array(9)
        .fill(`*a${i - 1}`)
        .join()}]`,
    );
  return lines.join('\n');
}

describe('JSON', () => {
  it('may have comments where its ending says so', () => {
    const text = '{"a": "x // y", /* c */ "b": [1, 2,], // d\n "c": "a,}",}';
    expect(parseJob('job.jsonc', text, {})).toEqual({ a: 'x // y', b: [1, 2], c: 'a,}' });
    expect(() => parseJob('job.json', text, {})).toThrow('cannot be read');
    expect(() => parseJob('job.toml', '', {})).toThrow('must be a json or yaml file');
  });
});

describe('variables', () => {
  it('are put into the text', () => {
    const environment = { HERE: '/data', N: '5' };
    expect(parseJob('j.yml', 'a: ${HERE}/x\nb: ${N}', environment)).toEqual({ a: '/data/x', b: 5 });
    expect(() => parseJob('j.yml', 'a: ${NO}', environment)).toThrow(
      'Environment variable NO not set.',
    );
    expect(() => yaml('a: ${toString}')).toThrow('Environment variable toString not set.');
  });
});

describe('job files on the disk', () => {
  let dir: string;
  const put = (name: string): string => {
    const path = join(dir, name);
    writeFileSync(path, '');
    return path;
  };
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'noodle-job-'));
    mkdirSync(join(dir, 'config'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it('are looked for in config first', () => {
    const here = put('fox.yaml');
    expect(findJob('fox.yaml', dir)).toBe(here);
    expect(findJob(here, '/')).toBe(here);
    const named = put('config/fox.yaml');
    expect(findJob('fox', dir)).toBe(named);
    expect(findJob('fox.yaml', dir)).toBe(named);
    const json = put('config/fox.json');
    expect(findJob('fox', dir)).toBe(json);
    expect(() => findJob('cat', dir)).toThrow("job file 'cat' was not found");
  });

  it('are read with what .env says, where the environment does not', () => {
    writeFileSync(join(dir, '.env'), 'A=1\nB="2"\n# C=3\n');
    expect(jobEnvironment(dir, { A: '9' })).toEqual({ A: '9', B: '2' });
  });

  it('have paths from the working directory, and names of models', () => {
    put('tiny.safetensors');
    const place = ownPlaces(dir);
    expect(place('tiny.safetensors', 'model')).toBe(join(dir, 'tiny.safetensors'));
    expect(place('somebody/model', 'model')).toBe('somebody/model');
    expect(place('foxes', 'dataset')).toBe(join(dir, 'foxes'));
  });
});
