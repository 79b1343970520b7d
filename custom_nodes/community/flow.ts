/** What goes on and what stops: Easy Use's and Impact Pack's branches. */
import {
  ExecutionBlocker,
  boolean,
  combo,
  float,
  int,
  int64,
  isLink,
  mask,
  nullable,
  optional,
  socket,
} from 'noodle/node';
import type { NodeDefinition, Prompt } from 'noodle/node';
import { anything, inCategory } from './define.ts';

const easy = inCategory('EasyUse/Logic');
const impact = inCategory('ImpactPack/Logic');

const any = (name: string) => ({ type: '*', name });
const stopped = () => new ExecutionBlocker(null);

/** Easy Use's number of outputs of its inversed switch. */
const MAX_FLOW_NUM = 20;

const easyNodes: readonly NodeDefinition[] = [
  easy({
    name: 'easy ifElse',
    displayName: 'If else',
    inputs: {
      boolean: boolean(),
      on_true: anything({ lazy: true }),
      on_false: anything({ lazy: true }),
    },
    outputs: [any('*')],
    checkLazy: ({ boolean }) => [boolean === false ? 'on_false' : 'on_true'],
    run: ({ boolean, on_true, on_false }) => [boolean ? on_true : on_false],
  }),
  easy({
    name: 'easy blocker',
    displayName: 'Blocker',
    inputs: { continue: boolean({ default: false }), in: anything() },
    outputs: [any('out')],
    run: ({ continue: goesOn, in: value }) => [goesOn ? value : stopped()],
  }),
  easy({
    name: 'easy ab',
    displayName: 'A or B',
    inputs: {
      'A or B': boolean({ default: true, label_on: 'A', label_off: 'B' }),
      in: anything(),
    },
    outputs: [any('A'), any('B')],
    run: ({ 'A or B': isA, in: value }) => [isA ? value : stopped(), isA ? stopped() : value],
  }),
  easy({
    name: 'easy anythingInversedSwitch',
    displayName: 'Any Inversed Switch',
    inputs: { index: int({ default: 0, min: 0, max: 9, step: 1 }), in: anything() },
    outputs: Array.from({ length: MAX_FLOW_NUM }, (_, i) => any(`out${i}`)),
    run: ({ index, in: value }) => only(value, index, MAX_FLOW_NUM),
  }),
  easy({
    name: 'easy isNone',
    displayName: 'Is None',
    inputs: { any: nullable(anything()) },
    outputs: [{ type: 'BOOLEAN', name: 'boolean' }],
    run: ({ any }) => [
      any === null || any === undefined || any === '' || any === false || isZero(any),
    ],
  }),
  easy({
    name: 'easy isMaskEmpty',
    displayName: 'Is Mask Empty',
    inputs: { mask: nullable(mask()) },
    outputs: [{ type: 'BOOLEAN', name: 'boolean' }],
    run: ({ mask }) => [mask === null || mask.data.every((v) => v === 0)],
  }),
  easy({
    name: 'easy sleep',
    displayName: 'Sleep',
    inputs: {
      any: anything(),
      delay: float({ default: 1, min: 0, max: 1_000_000, step: 0.1 }),
    },
    outputs: [any('out')],
    async run({ delay, any }, context) {
      await waited(delay, context.signal);
      return [any];
    },
  }),
];

const isZero = (value: unknown): boolean => value === 0 || value === 0n;

/** `value` at one of `count` outputs, the others stopped. */
const only = (value: unknown, index: number, count: number): unknown[] =>
  Array.from({ length: count }, (_, i) => (i === index ? value : stopped()));

/** Waits, or ends at once when the prompt is interrupted (the executor says so). */
const waited = (seconds: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(done, seconds * 1000);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    if (signal.aborted) done();
    else signal.addEventListener('abort', done);
  });

/** How many outputs of a node the prompt uses: the highest slot and one. */
function usedOutputs(prompt: Prompt, id: string): number {
  const slots = Object.values(prompt).flatMap(({ inputs }) =>
    Object.values(inputs).flatMap((value) =>
      isLink(value) && String(value[0]) === id ? [Number(value[1])] : [],
    ),
  );
  return Math.max(0, ...slots) + 1;
}

/** The most outputs that an inversed switch may grow. */
const MOST_OUTPUTS = 1000;

const link = () => int64({ default: 0, min: 0, max: 2n ** 63n - 1n, step: 1 });

const impactNodes: readonly NodeDefinition[] = [
  /** The page gives it as many outputs as are linked; here all have the type of the first. */
  inCategory('ImpactPack/Util')({
    name: 'ImpactInversedSwitch',
    displayName: 'Inversed Switch (Any)',
    inputs: {
      select: int({ default: 1, min: 1, max: 999999, step: 1 }),
      input: anything(),
      sel_mode: optional(
        boolean({
          default: false,
          label_on: 'select_on_prompt',
          label_off: 'select_on_execution',
          forceInput: false,
        }),
      ),
    },
    hidden: { prompt: 'PROMPT', unique_id: 'UNIQUE_ID' },
    outputs: Array.from({ length: MAX_FLOW_NUM }, () => ({ type: '*' })),
    run: ({ select, input, prompt, unique_id }) =>
      only(
        input,
        select - 1,
        Math.max(MAX_FLOW_NUM, Math.min(usedOutputs(prompt, unique_id), MOST_OUTPUTS)),
      ),
  }),
  impact({
    name: 'ImpactConditionalBranchSelMode',
    displayName: 'Conditional Branch (SEL Mode)',
    inputs: {
      cond: boolean(),
      tt_value: optional(anything()),
      ff_value: optional(anything()),
    },
    outputs: [{ type: '*' }],
    run: ({ cond, tt_value = null, ff_value = null }) => [cond ? tt_value : ff_value],
  }),
  /** What the original mutes in the page is stopped here; nothing can be bypassed while it runs. */
  impact({
    name: 'ImpactControlBridge',
    displayName: 'Control Bridge',
    inputs: {
      value: anything(),
      mode: boolean({ default: true, label_on: 'Active', label_off: 'Stop/Mute/Bypass' }),
      behavior: combo(['Stop', 'Mute', 'Bypass'] as const),
    },
    outputs: [any('value')],
    outputNode: true,
    run({ value, mode, behavior }) {
      if (mode) return [value];
      if (behavior !== 'Bypass') return [stopped()];
      throw new RangeError(
        'behavior: expected Stop or Mute, got Bypass; bypass the nodes in the editor instead',
      );
    },
  }),
  impact({
    name: 'ImpactValueSender',
    displayName: 'ImpactValueSender',
    inputs: { value: anything(), link_id: link(), signal_opt: optional(anything()) },
    outputs: [any('signal')],
    outputNode: true,
    run({ value, link_id, signal_opt = null }, context) {
      context.send('value-send', { link_id, value });
      return [signal_opt];
    },
  }),
  impact({
    name: 'ImpactValueReceiver',
    displayName: 'ImpactValueReceiver',
    inputs: {
      typ: combo(['STRING', 'INT', 'FLOAT', 'BOOLEAN'] as const),
      value: socket<string>('STRING', { default: '' }, 'value'),
      link_id: link(),
    },
    outputs: [{ type: '*' }],
    run: ({ typ, value }) => [RECEIVED[typ](value)],
  }),
  inCategory('ImpactPack/Logic/_for_test')({
    name: 'ImpactSleep',
    displayName: 'ImpactSleep',
    inputs: { signal: anything(), seconds: float({ default: 0.5, min: 0n, max: 3600n }) },
    outputs: [any('signal_opt')],
    outputNode: true,
    async run({ signal, seconds }, context) {
      await waited(seconds, context.signal);
      return [signal];
    },
  }),
  inCategory('ImpactPack/Debug')({
    name: 'ImpactDummyInput',
    displayName: 'ImpactDummyInput',
    inputs: {},
    outputs: [{ type: '*' }],
    run: () => ['DUMMY'],
  }),
];

const numberOf = (text: string): number => {
  const value = text.trim() === '' ? NaN : Number(text);
  if (Number.isNaN(value)) throw new RangeError(`value: expected a number, got '${text}'`);
  return value;
};

const RECEIVED = {
  STRING: (text: string) => text,
  INT: (text: string) => Math.trunc(numberOf(text)),
  FLOAT: numberOf,
  BOOLEAN: (text: string) => text.toLowerCase() === 'true',
} as const;

export const flowNodes: readonly NodeDefinition[] = [...easyNodes, ...impactNodes];
