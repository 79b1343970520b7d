/** From an engine's messages to the sockets they are for: ComfyUI's rules of who receives what. */
import type { EngineJob, FromEngine } from '../../worker/messages.ts';
import type { Droppable, Hub, Recipient } from './hub.ts';
import type { BinaryFrame } from '../../protocol.ts';

type Preview = Extract<FromEngine, { type: 'preview' }>;

export interface Relay {
  message(job: EngineJob, message: FromEngine): void;
  /** History is complete: the closing `executing`. */
  finished(job: EngineJob): void;
}

const DROPPABLE: Readonly<Record<string, Droppable>> = {
  progress: 'progress',
  progress_state: 'progress_state',
};

/** Sends what engines say through `hub`. */
export function createRelay(hub: Hub): Relay {
  /** Previews without metadata that wait for the `progress` they belong to, by job. */
  const waiting = new Map<string, Preview>();

  const sendPlain = (to: Recipient, message: Preview): void =>
    hub.sendFrame(to, plainFrame(message), to === 'all' ? 'any' : 'unflagged');

  const event = (job: EngineJob, { event: type, data, to }: EventMessage): void => {
    const recipient = recipientOf(job, to === 'client-or-all');
    if (recipient !== undefined) hub.send(recipient, type, data, DROPPABLE[type]);
    const preview = type === 'progress' ? waiting.get(job.id) : undefined;
    if (preview !== undefined) {
      waiting.delete(job.id);
      sendPlain(recipientOf(job, true)!, preview);
    }
  };

  const preview = (job: EngineJob, message: Preview): void => {
    // Without a client nobody's flags are known: everybody gets the plain picture.
    const to = recipientOf(job, true)!;
    if (to !== 'all') hub.sendFrame(to, metadataFrame(job, message), 'flagged');
    if (message.flaggedOnly) return;
    if (message.legacyAfterProgress) waiting.set(job.id, message);
    else sendPlain(to, message);
  };

  return {
    message: (job, message) => {
      if (message.type === 'event') event(job, message);
      else if (message.type === 'preview') preview(job, message);
      else if (message.type === 'text') {
        hub.sendFrame('all', { type: 'text', nodeId: message.nodeId, text: message.text }, 'any');
      }
    },
    finished: (job) => {
      waiting.delete(job.id);
      if (job.clientId === undefined) return;
      const data = `{"node": null, "prompt_id": ${JSON.stringify(job.id)}}`;
      hub.send({ sid: job.clientId }, 'executing', data);
    },
  };
}

type EventMessage = Extract<FromEngine, { type: 'event' }>;

function recipientOf({ clientId }: EngineJob, orAll: boolean): Recipient | undefined {
  if (clientId !== undefined) return { sid: clientId };
  return orAll ? 'all' : undefined;
}

const plainFrame = ({ format, image }: Preview): BinaryFrame => ({
  type: 'preview',
  imageType: format,
  image,
});

function metadataFrame({ id }: EngineJob, { node, format, image }: Preview): BinaryFrame {
  const metadata = {
    node_id: node.node_id,
    prompt_id: id,
    display_node_id: node.display_node,
    parent_node_id: node.parent_node,
    real_node_id: node.real_node_id,
    image_type: format,
  };
  return { type: 'previewWithMetadata', metadata, image };
}
