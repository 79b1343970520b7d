/**
 * The seam between the server and its engines, wherever they run: orders go in, messages come out in
 * their order, and one end comes after all of them. An engine ends by itself when it was told to stop
 * or broke down; nothing else is promised about how it is kept (see process-link.ts).
 */
import { type Json, parseJson, stringifyJson } from '../workflow/lossless-json.ts';
import type { FromEngine, ToEngine } from './messages.ts';

export interface EngineLink {
  /** Of an engine that is a process of this machine. */
  readonly pid: number | undefined;
  /** Orders to one that is ending are lost; its end follows. */
  send(message: ToEngine): void;
  /** Ends the engine without asking. */
  kill(): void;
}

export interface EngineEvents {
  message(message: FromEngine): void;
  /** The engine ended; `how` tells the exit code or signal. Comes once, after all messages. */
  exit(how: string): void;
}

export type StartEngine = (events: EngineEvents) => EngineLink;

/** A websocket message of a job; `data` is JSON text. */
export type EventMessage = Extract<FromEngine, { type: 'event' }>;

const contents = new WeakMap<EventMessage, Json>();

/** What an event says; its text is read when the first of its hearers asks, and only then. */
export function contentOf(message: EventMessage): Json {
  const known = contents.get(message);
  if (known !== undefined) return known;
  const content = parseJson(message.data);
  contents.set(message, content);
  return content;
}

/** The event with another content. */
export function withContent(message: EventMessage, content: Json): EventMessage {
  const changed = { ...message, data: stringifyJson(content) };
  contents.set(changed, content);
  return changed;
}
