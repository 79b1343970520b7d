/** What a list of jobs says about the outputs of one. */
import { expect, it } from 'vitest';
import type { FinishedJob } from '../../../engine/queue/store.ts';
import { jobDetail, jobSummary } from '../../../engine/server/job-view.ts';

const finished = (outputs: object, over: Partial<FinishedJob> = {}): FinishedJob => ({
  id: 'job',
  status: 'completed',
  number: 1,
  numberText: '1',
  attempt: 1,
  createdAt: 10,
  needsSecrets: false,
  outputs: [],
  prompt: '{}',
  extraData: '{}',
  statusText: '{"status_str": "success", "completed": true, "messages": []}',
  outputsText: JSON.stringify(outputs),
  metaText: '{}',
  ...over,
});
const summary = (outputs: object) => jobSummary(finished(outputs));
const counts = (outputs: object) => {
  const { outputs_count: count, previewable_outputs_count: shown } = summary(outputs);
  return [count, shown];
};
const file = (filename: string, more: object = {}) => ({ filename, subfolder: '', ...more });
const saved = (filename: string, more: object = {}) => file(filename, { type: 'output', ...more });

it.each<[string, object, [number, number]]>([
  ['nothing', {}, [0, 0]],
  ['a picture', { 1: { images: [saved('a.png')] } }, [1, 1]],
  ['a flag beside pictures', { 1: { images: [saved('a.webp')], animated: [true] } }, [1, 1]],
  ['lists only', { 1: { images: 'a.png', n: 4 }, 2: 'text' }, [0, 0]],
  ['a latent', { 1: { latents: [saved('a.latent')] } }, [1, 0]],
  ['a text file', { 1: { files: [saved('a.TXT')] } }, [1, 1]],
  ['a file with a format', { 1: { gifs: [saved('a.bin', { format: 'video/mp4' })] } }, [1, 1]],
  ['a file of another format', { 1: { gifs: [saved('a.bin', { format: 'model/x' })] } }, [1, 0]],
  ['names of 3D models', { 1: { result: ['a.GLB', null, 'camera'] } }, [1, 1]],
  ['texts', { 1: { text: ['one', 'two'] } }, [0, 0]],
])('counts %s', (_what, outputs, expected) => {
  expect(counts(outputs)).toEqual(expected);
});

it('shows what is saved first, then other media, then text files, then texts', () => {
  const nodes: [string, object, string][] = [
    ['1', { text: ['a caption'] }, 'text'],
    ['2', { files: [saved('notes.md')] }, 'files'],
    ['3', { images: [file('temp.png', { type: 'temp' })] }, 'images'],
    ['4', { gifs: [saved('clip.webm', { format: 'video/webm' })] }, 'gifs'],
  ];
  for (const [i, [nodeId, , mediaType]] of nodes.entries()) {
    const outputs = Object.fromEntries(nodes.slice(0, i + 1).map(([id, ui]) => [id, ui]));
    expect(summary(outputs).preview_output).toMatchObject({ nodeId, mediaType });
  }
});

it('shows texts of any kind as Python prints them', () => {
  const preview = (item: unknown) => summary({ 1: { text: [item] } }).preview_output;
  expect(preview('hello')).toEqual({ content: 'hello', nodeId: '1', mediaType: 'text' });
  expect(preview(5)).toMatchObject({ content: '5' });
  expect(preview(true)).toMatchObject({ content: 'True' });
  expect(preview(['a', 1])).toMatchObject({ content: "['a', 1]" });
});

it('cuts a long text at 1024 code points', () => {
  const preview = (text: string) => summary({ 1: { text: [text] } }).preview_output;
  const face = '\u{1F600}';
  expect(preview(face.repeat(1024))).toEqual({
    content: face.repeat(1024),
    nodeId: '1',
    mediaType: 'text',
  });
  expect(preview(`a${face.repeat(1024)}`)).toMatchObject({
    content: `a${face.repeat(1023)}`,
    truncated: true,
  });
});

it('gives details with 3D models as files and without nulls', () => {
  const outputs = { 1: { result: ['a.glb', null, 'b.json', [1]], animated: [null] }, 2: 'text' };
  expect(JSON.parse(JSON.stringify(jobDetail(finished(outputs)).outputs))).toEqual({
    1: {
      result: [
        { filename: 'a.glb', type: 'output', subfolder: '', mediaType: '3d' },
        'b.json',
        [1],
      ],
      animated: [null],
    },
    2: 'text',
  });
});
