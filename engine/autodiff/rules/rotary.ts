/** The derivative of rotary position embeddings: turned back. */
import { neg, rotaryEmbedding } from '../../tensor/nn.ts';
import type { RotaryAttrs } from '../../tensor/ops/rotary.ts';
import { type Derivation, type Rule, ownSteps } from '../rule.ts';

const rule: Rule<RotaryAttrs> = ({ inputs: [, cos, sin], attrs }, g, wants) =>
  wants[1] || wants[2] ? undefined : [rotaryEmbedding(g, { cos, sin: neg(sin) }, attrs)];

export const rotaryRules: { readonly rotaryEmbedding: Derivation<RotaryAttrs> } = {
  rotaryEmbedding: { rule, steps: ownSteps },
};
