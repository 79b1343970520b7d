/** What savers ask before anything runs: a name that cannot be written must not cost a picture. */
import type { ChoiceSource } from '../engine/node.ts';

/** The `validate` of a node that saves `<prefix>_<number>_<suffix>` into the output folder; `input` has the prefix. */
export const savable = (
  suffix: string,
  input = 'filename_prefix',
): {
  inputs: readonly string[];
  check: (inputs: Record<string, unknown>, types: unknown, source: ChoiceSource) => true | string;
} => ({
  inputs: [input],
  check: ({ [input]: prefix }, _types, source) =>
    // A linked prefix is not known yet; the node itself refuses it then.
    typeof prefix !== 'string' || (source.prefixProblem?.(prefix, suffix) ?? true),
});
