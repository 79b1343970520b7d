import { expect, it } from 'vitest';
import { type EventMessage, contentOf, withContent } from '../../../engine/worker/link.ts';

const event = (data: string): EventMessage => ({
  type: 'event',
  jobId: 'j',
  event: 'executed',
  data,
  to: 'client',
});

it('reads the text of an event once', () => {
  const message = event('{"node": "1"}');
  expect(contentOf(message)).toEqual({ node: '1' });
  expect(contentOf(message)).toBe(contentOf(message));
  const changed = withContent(message, { node: '2' });
  expect(changed.data).toBe('{"node": "2"}');
  expect(contentOf(changed)).toEqual({ node: '2' });
  expect(contentOf(message)).toEqual({ node: '1' });
});
