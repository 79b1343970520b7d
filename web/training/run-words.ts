import { t } from '../locale/translate.ts';
import { durationText } from '../queue/time-left.ts';
import type { Run, RunState } from './api.ts';

const words: Readonly<Record<RunState, string>> = {
  new: 'Not started',
  waiting: 'Waiting',
  running: 'Running',
  pausing: 'Ends its step',
  stopping: 'Ends its step',
  paused: 'Paused',
  interrupted: 'Interrupted',
  stopped: 'Stopped',
  finished: 'Finished',
  failed: 'Failed',
};

/** What a run does, in words. */
export const stateText = (state: RunState): string => t(words[state]);

/** How far it is, in words; '' before it begins. */
export function stepText({ step, steps, seconds_left: left, state }: Run): string {
  if (steps === null || steps === 0) return '';
  const done = t('Step {step} of {steps}', { step, steps });
  if (left === null || state !== 'running') return done;
  return `${done}, ${t('{time} to go', { time: durationText(left * 1000) })}`;
}

/** Whether a job of the queue trains it, or will. */
export const isActive = ({ state }: Pick<Run, 'state'>): boolean =>
  ['waiting', 'running', 'pausing', 'stopping'].includes(state);

/** A number of a curve, short. */
export function numberText(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  return size >= 0.001 && size < 100_000
    ? String(Number(value.toPrecision(4)))
    : value.toExponential(2);
}
