import { describe, expect, it } from 'vitest';
import type { EngineJob, FromEngine } from '../../../../engine/worker/messages.ts';
import type { Hub, Recipient } from '../../../../engine/server/comfy/hub.ts';
import { createRelay } from '../../../../engine/server/comfy/relay.ts';

const to = (recipient: Recipient): string => (recipient === 'all' ? 'all' : recipient.sid);

/** A hub that writes down what it is told. */
function setup() {
  const said: string[] = [];
  const hub: Hub = {
    attach: () => undefined,
    send: (recipient, type, data, droppable) =>
      said.push(`${to(recipient)} ${type}${droppable === undefined ? '' : '?'} ${data}`),
    sendFrame: (recipient, frame, filter) => said.push(`${to(recipient)} ${frame.type} ${filter}`),
    broadcastStatus: () => undefined,
    has: () => true,
  };
  return { said, relay: createRelay(hub) };
}

const job = (clientId?: string): EngineJob => ({
  id: 'p',
  prompt: '{}',
  extraData: '{}',
  outputs: [],
  clientId,
});
const event = (name: string, audience: 'client' | 'client-or-all'): FromEngine => ({
  type: 'event',
  jobId: 'p',
  event: name,
  data: '{}',
  to: audience,
});
const preview = (more: object = {}): FromEngine => ({
  type: 'preview',
  jobId: 'p',
  node: { node_id: '1', display_node: '1', parent_node: null, real_node_id: '1' },
  format: 'image/jpeg',
  image: new Uint8Array(3),
  flaggedOnly: false,
  legacyAfterProgress: true,
  ...more,
});

describe('relay', () => {
  it('sends a step as progress_state, preview 4, progress, preview 1', () => {
    const { said, relay } = setup();
    for (const message of [
      event('progress_state', 'client-or-all'),
      preview(),
      event('progress', 'client-or-all'),
      event('progress', 'client-or-all'),
    ]) {
      relay.message(job('c'), message);
    }
    expect(said).toEqual([
      'c progress_state? {}',
      'c previewWithMetadata flagged',
      'c progress? {}',
      'c preview unflagged',
      'c progress? {}',
    ]);
  });

  it('sends V3 previews to flagged clients only', () => {
    const { said, relay } = setup();
    relay.message(job('c'), preview({ flaggedOnly: true, legacyAfterProgress: false }));
    relay.message(job(), preview({ flaggedOnly: true, legacyAfterProgress: false }));
    expect(said).toEqual(['c previewWithMetadata flagged']);
  });

  it('without a client: progress and plain previews to all, the rest to nobody', () => {
    const { said, relay } = setup();
    relay.message(job(), event('execution_start', 'client'));
    relay.message(job(), preview());
    relay.message(job(), event('progress', 'client-or-all'));
    relay.message(job(), event('execution_interrupted', 'client-or-all'));
    relay.finished(job());
    expect(said).toEqual(['all progress? {}', 'all preview any', 'all execution_interrupted {}']);
  });

  it('broadcasts progress texts and closes with executing null', () => {
    const { said, relay } = setup();
    relay.message(job('c'), { type: 'text', jobId: 'p', nodeId: '1', text: 'x' });
    relay.finished(job('c'));
    expect(said).toEqual(['all text any', 'c executing {"node": null, "prompt_id": "p"}']);
  });
});
