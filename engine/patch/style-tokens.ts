/** Tokens in front of the text of a network that has text and picture in one sequence. */
import type { NDArray } from '../array/nd.ts';
import { concat, expand, input } from '../tensor/nn.ts';
import type { NetworkPatch } from './patch.ts';

/** Puts tokens [1, n, width] in front of what the network made of the text at `site`; `name` names their input. */
export const tokensInFront = (name: string, site: string, tokens: NDArray): NetworkPatch => ({
  identity: `tokens ${name} ${tokens.shape[1]}`,
  at({ name: at, inputs, run }) {
    if (at !== site) return undefined;
    const text = run(inputs);
    const [, count, width] = tokens.shape;
    const more = input(name, 'f32', [1, count, width]);
    return concat([expand(more, [text.shape[0], count, width]), text], 1);
  },
  feeds: () => ({ [name]: tokens }),
});
