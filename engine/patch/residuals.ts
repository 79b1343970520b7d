/**
 * Residuals of a control network: tensors that are added inside another network (ControlNet, Zhang
 * et al. 2023; T2I-Adapter, Mou et al. 2023).
 */
import { add, input } from '../tensor/nn.ts';
import type { Patch } from '../tensor/patch.ts';

/** Where residuals go: site by site, to the part's output or to one of its inputs. */
export type ResidualPlaces = ReadonlyMap<string, 'output' | { readonly input: string }>;

/**
 * Adds an input `name/site` at every place. It is declared at the site, so it has the size of what it
 * is added to for every size of the picture.
 */
export function residualPatch(name: string, places: ResidualPlaces): Patch {
  const spelled = [...places].map(([site, to]) => (to === 'output' ? site : `${site}:${to.input}`));
  return {
    identity: `residuals ${name} ${spelled.join(' ')}`,
    at: ({ name: site, inputs, run }) => {
      const to = places.get(site);
      if (to === undefined) return undefined;
      const residual = (like: { readonly shape: Parameters<typeof input>[2] }) =>
        input(`${name}/${site}`, 'f32', like.shape);
      if (to !== 'output') {
        const value = inputs[to.input];
        return run({ ...inputs, [to.input]: add(value, residual(value)) });
      }
      const out = run(inputs);
      return add(out, residual(out));
    },
  };
}

/** A control network's lists of residuals; gaps add nothing. */
export interface ControlLists<T> {
  readonly input: readonly (T | undefined)[];
  readonly middle: readonly (T | undefined)[];
  readonly output: readonly (T | undefined)[];
}

/**
 * Places of a UNet for the lists of a control network, each used up from its end: after the input
 * blocks, after the middle, and on the skip connections before the output blocks.
 */
export function unetPlaces<T>(lists: ControlLists<T>): {
  readonly places: ResidualPlaces;
  /** Site -> what is added there. */
  readonly values: ReadonlyMap<string, T>;
} {
  const places = new Map<string, 'output' | { readonly input: string }>();
  const values = new Map<string, T>();
  const put = (
    list: readonly (T | undefined)[],
    site: (i: number) => string,
    to: 'output' | { readonly input: string },
  ): void =>
    [...list].reverse().forEach((value, i) => {
      if (value === undefined) return;
      places.set(site(i), to);
      values.set(site(i), value);
    });
  put(lists.input, (i) => `input_blocks.${i}`, 'output');
  put(lists.middle.slice(-1), () => 'middle_block', 'output');
  put(lists.output, (i) => `output_blocks.${i}`, { input: 'skip' });
  return { places, values };
}
