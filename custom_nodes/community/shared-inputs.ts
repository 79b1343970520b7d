/** Inputs and outputs that nodes of several packs have alike. */
import { float } from 'noodle/node';

/** A number without bounds, beside further options. */
export const unbounded = (more: object = {}) =>
  float({
    default: 1,
    min: -Number.MAX_VALUE,
    max: Number.MAX_VALUE,
    step: 0.01,
    forceInput: false,
    ...more,
  });

/** A text in which something was replaced, and how often, in three types. */
export const countedReplacements = [
  { type: 'STRING', name: 'result_text' },
  { type: 'NUMBER', name: 'replacement_count_number' },
  { type: 'FLOAT', name: 'replacement_count_float' },
  { type: 'INT', name: 'replacement_count_int' },
] as const;
