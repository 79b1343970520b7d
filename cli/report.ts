/** Progress for people: a bar on a terminal, plain lines in a log, JSON for programs. */
import { SingleBar } from 'cli-progress';
import { safeText } from './print.ts';
import type { RunEvent } from './runner.ts';

export interface Report {
  readonly event: (event: RunEvent) => void;
  /** Takes the bar away; what is printed afterwards starts on a clean line. */
  readonly end: () => void;
}

export interface ReportOptions {
  readonly style: 'bar' | 'lines' | 'json' | 'quiet';
  /** Name of a node for people. */
  readonly title: (nodeId: string) => string;
  readonly nodeCount: number;
  readonly stream: NodeJS.WriteStream;
}

/** A report of the wanted style. */
export function createReport(options: ReportOptions): Report {
  switch (options.style) {
    case 'bar':
      return barReport(options);
    case 'lines':
      return lineReport(options);
    case 'json':
      return {
        event: (event) => void options.stream.write(`${JSON.stringify(event)}\n`),
        end: () => undefined,
      };
    case 'quiet':
      return { event: () => undefined, end: () => undefined };
  }
}

/** Counts nodes as they come; cached ones count at once. */
function createCounter(): { see(nodeId: string): number; skip(count: number): void } {
  const seen = new Set<string>();
  let skipped = 0;
  return {
    see: (nodeId) => seen.add(nodeId).size + skipped,
    skip: (count) => void (skipped += count),
  };
}

function barReport({ title, nodeCount, stream }: ReportOptions): Report {
  const counter = createCounter();
  const bar = new SingleBar({
    format: '{node} [{bar}] {step}  nodes {done}/{count}',
    stream,
    hideCursor: true,
    clearOnComplete: true,
    barsize: 24,
    // Ctrl-C is handled by the command, which ends the bar.
    gracefulExit: false,
  });
  let started = false;
  const show = (node: string, value: number, max: number, step: string, done: number): void => {
    const payload = { node, step, done, count: nodeCount };
    if (!started) bar.start(max, value, payload);
    else {
      bar.setTotal(max);
      bar.update(value, payload);
    }
    started = true;
  };
  const name = (nodeId: string): string => safeText(title(nodeId)).slice(0, 40);
  return {
    event(event) {
      if (event.type === 'cached') counter.skip(event.nodeIds.length);
      else if (event.type === 'node') show(name(event.nodeId), 0, 1, '', counter.see(event.nodeId));
      else if (event.type === 'progress') {
        const step = `${event.value}/${event.max}`;
        show(name(event.nodeId), event.value, event.max, step, counter.see(event.nodeId));
      }
    },
    end() {
      if (started) bar.stop();
      started = false;
    },
  };
}

function lineReport({ title, nodeCount, stream }: ReportOptions): Report {
  const counter = createCounter();
  const write = (line: string): void => void stream.write(`${safeText(line)}\n`);
  let lastTenth = -1;
  return {
    event(event) {
      switch (event.type) {
        case 'cached':
          counter.skip(event.nodeIds.length);
          return;
        case 'node':
          lastTenth = -1;
          write(`[${counter.see(event.nodeId)}/${nodeCount}] ${title(event.nodeId)}`);
          return;
        case 'progress': {
          // A line for each tenth: a log of a thousand steps stays short.
          const tenth = Math.floor((10 * event.value) / Math.max(1, event.max));
          if (tenth !== lastTenth) write(`  ${event.value}/${event.max}`);
          lastTenth = tenth;
          return;
        }
        case 'text':
          write(`  ${event.text}`);
          return;
        case 'log':
          write(event.text);
      }
    },
    end: () => undefined,
  };
}
