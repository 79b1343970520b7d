/** The server's log: printed, kept as a ring for /internal/logs, and followed by clients. */
import { LOG_LEVELS, type Log, type LogLevel } from '../log.ts';
import type { LogEntry } from '../protocol.ts';

/** Entries that are kept, as in ComfyUI. */
const RING = 300;

export interface ServerLog extends Log {
  entries(): readonly LogEntry[];
  /** Size of the terminal the log is printed on; null when it is none. */
  size(): { cols: number; rows: number } | null;
  /** Called with every new entry. */
  follow(listener: (entry: LogEntry) => void): void;
}

export interface LogOptions {
  readonly level: LogLevel;
  readonly stream: Pick<NodeJS.WriteStream, 'write' | 'columns' | 'rows' | 'isTTY' | 'on'>;
  readonly now?: () => Date;
}

/** A log that prints lines of `level` and above to `stream`. */
export function createLog({ level, stream, now = () => new Date() }: LogOptions): ServerLog {
  const threshold = LOG_LEVELS.indexOf(level);
  const ring: LogEntry[] = [];
  const listeners: ((entry: LogEntry) => void)[] = [];
  // A terminal that was closed must not take the server with it.
  stream.on('error', () => undefined);
  const log = (lineLevel: LogLevel, text: string): void => {
    if (LOG_LEVELS.indexOf(lineLevel) < threshold) return;
    const entry = { t: now().toISOString(), m: `${text}\n` };
    ring.push(entry);
    if (ring.length > RING) ring.shift();
    stream.write(entry.m);
    for (const listener of listeners) listener(entry);
  };
  return Object.assign(log, {
    entries: () => ring,
    size: () => (stream.isTTY ? { cols: stream.columns, rows: stream.rows } : null),
    follow: (listener: (entry: LogEntry) => void) => void listeners.push(listener),
  });
}
