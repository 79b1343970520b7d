/**
 * One job in one engine, from its start to its end. The server's dispatcher starts engines again and
 * jobs with them; here both end with the command, at Ctrl-C within the grace.
 */
import type { EngineJob, FromEngine } from '../engine/worker/messages.ts';
import type { JobEnd } from '../engine/graph/messages.ts';
import type { StartEngine } from '../engine/worker/link.ts';
import { parseJson, toPlain } from '../engine/workflow/lossless-json.ts';
import { failureComplaint, readMessage } from './runner.ts';
import type { Complaint, RunEvent, RunResult } from './runner.ts';

/** Milliseconds an interrupted engine gets to stop. */
const GRACE = 10_000;

/** How a job ended. */
export interface Outcome {
  readonly status: RunResult['status'];
  /** Node id -> what it shows. */
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly complaints: readonly Complaint[];
  /** How long each run of the job took in the engine. */
  readonly seconds: readonly number[];
}

export interface JobOptions {
  readonly start: StartEngine;
  readonly job: EngineJob;
  /** Runs of the job, one after the other in the same engine; left out: one. */
  readonly times?: number;
  readonly signal: AbortSignal;
  readonly onEvent: (event: RunEvent) => void;
}

/**
 * Starts an engine, runs the job, ends the engine. An abort interrupts the job; an engine that does
 * not obey is killed. The outcome is that of the last run, or of the first that failed. Never rejects: a
 * lost engine is an outcome too.
 */
export function runInEngine({
  start,
  job,
  times = 1,
  signal,
  onEvent,
}: JobOptions): Promise<Outcome> {
  return new Promise((resolve) => {
    let outcome: Outcome | undefined;
    let told: Record<string, unknown> = {};
    let began = 0;
    const seconds: number[] = [];
    const run = (): void => {
      told = {};
      began = performance.now();
      link.send({ type: 'run', job });
    };
    let grace: NodeJS.Timeout | undefined;
    const receive = (message: FromEngine): void => {
      switch (message.type) {
        case 'ready':
          if (signal.aborted) link.kill();
          else run();
          return;
        case 'event': {
          const data = readObject(message.data);
          // Nodes that show nothing are told of too.
          if (message.event === 'executed' && data.output !== null) {
            told[String(data.node)] = data.output;
          }
          const event = readMessage(message.event, data);
          if (event !== undefined) onEvent(event);
          return;
        }
        case 'text':
          onEvent({ type: 'text', nodeId: message.nodeId, text: message.text });
          return;
        case 'log':
          if (message.level !== 'DEBUG') onEvent({ type: 'log', text: message.text });
          return;
        case 'done': {
          seconds.push((performance.now() - began) / 1000);
          const end = outcomeOf(message.end, { ...told, ...readObject(message.end.untold) });
          if (end.status === 'success' && seconds.length < times && !signal.aborted) {
            run();
            return;
          }
          outcome = { ...end, seconds };
          link.send({ type: 'stop' });
          // An engine that does not end by itself has nothing left to do.
          clearTimeout(grace);
          grace = setTimeout(() => link.kill(), 2000);
        }
      }
    };
    const interrupt = (): void => {
      link.send({ type: 'interrupt', jobId: job.id });
      grace ??= setTimeout(() => link.kill(), GRACE);
    };
    const link = start({
      message: receive,
      exit: (how) => {
        clearTimeout(grace);
        signal.removeEventListener('abort', interrupt);
        const status = signal.aborted ? 'interrupted' : 'error';
        const lost = [{ text: `the engine ended before the workflow did (${how})` }];
        const complaints = signal.aborted ? [] : lost;
        resolve(outcome ?? { status, outputs: {}, complaints, seconds });
      },
    });
    if (signal.aborted) interrupt();
    else signal.addEventListener('abort', interrupt, { once: true });
  });
}

function outcomeOf(
  { status, messages }: JobEnd,
  outputs: Outcome['outputs'],
): Omit<Outcome, 'seconds'> {
  const find = (event: string): string | undefined =>
    messages.find(([name]) => name === event)?.[1];
  if (find('execution_interrupted') !== undefined) {
    return { status: 'interrupted', outputs, complaints: [] };
  }
  const failure = find('execution_error');
  if (failure === undefined) return { status, outputs, complaints: [] };
  // A blocked output reports an error, yet the prompt goes on.
  return { status, outputs, complaints: [failureComplaint(readObject(failure))] };
}

/** The engine's JSON is Python's: NaN and 64-bit integers occur. */
export function readObject(text: string): Record<string, unknown> {
  return toPlain(parseJson(text)) as Record<string, unknown>;
}
