/** Control networks of diffusion transformers (engine/arch/transformer-control.ts) on a run, once a call. */
import type { ControlLists } from '../arch/residual-places.ts';
import type { ControlSizes } from '../arch/transformer-control.ts';
import { findTransformerControl } from '../arch/transformer-controls.ts';
import type { ModelInput } from '../sampling/model.ts';
import { openWeights } from '../tensor/cursor.ts';
import { mul } from '../tensor/nn.ts';
import { type WeightSource, mergeSources, rename } from '../weights/source.ts';
import { transformerHints } from './transformer-hints.ts';
import { type ControlKind, type ControlNet, misfit } from './control-net.ts';
import { openFeeder, openNetwork } from './network.ts';

/** A control network of a transformer bound to a run. Throws BAD_INPUT where it does not fit the model. */
export const transformerControlKind: ControlKind = (control, run) => {
  const { net, strength } = control;
  const { control: network, config } = findTransformerControl(openWeights(net.source))!;
  const { channels, lists } = config;
  const source = withBorrowed(net, run.network.source, network.borrowed?.(config) ?? []);
  checkType(net, config.types);
  const hints = transformerHints(control, config.hint, run);
  const size = { channels, halvings: 1 };
  const outputs = [...new Set([...lists.input, ...lists.output])];
  return {
    cellBytes: outputs.length * channels, // 4 bytes each, for tokens of 4 cells
    sizes: mapped(lists, () => size),
    check: (input) => checkInputs(net, config, input),
    async residuals(input) {
      const { hint } = await hints.forCall(input);
      const { cross, crossControl = cross, pooled, guidance } = input.cond;
      const told = { ...(pooled && { pooled }), ...(guidance && { guidance }) };
      const given = new Set(Object.keys(told));
      const type = config.types > 0 ? net.type : undefined;
      if (type !== undefined) given.add('type');
      // what is added to nothing else never has to leave the device
      const open = run.isAlone ? openFeeder : openNetwork;
      const ask = open(
        run,
        { source, patches: net.patches },
        {
          name: network.name,
          // it has blocks of the model's
          fullPrecision: run.family.fullPrecision,
          settings: { given: [...given].sort().join() },
          build: (g) => {
            const factor = g.input('strength', 'f32', []);
            const made = Object.entries(network.network(g, config, given));
            return Object.fromEntries(made.map(([name, out]) => [name, mul(out, factor)]));
          },
        },
      );
      const made = await ask(
        {
          ...told,
          x: input.x,
          timesteps: { data: input.timesteps, shape: [input.timesteps.length] },
          cross: crossControl,
          hint,
          strength: { data: Float32Array.of(config.strength?.(strength) ?? strength), shape: [] },
          ...(type !== undefined && { type: { ids: [type], shape: [1] } }),
        },
        { rows: input.timesteps.length, input },
      );
      return mapped(lists, (name) => made[name]);
    },
  };
};

const mapped = <T>(
  { input, middle, output }: ControlLists<string>,
  f: (name: string) => T,
): ControlLists<T> => {
  const each = (list: readonly (string | undefined)[]): (T | undefined)[] =>
    list.map((name) => (name === undefined ? undefined : f(name)));
  return { input: each(input), middle: each(middle), output: each(output) };
};

/** The network's weights with modules of the model beside them. Throws BAD_INPUT where the model has them not. */
function withBorrowed(
  net: ControlNet,
  model: WeightSource,
  modules: readonly (readonly [own: string, models: string])[],
): WeightSource {
  const borrowed = modules.map(([own, models]) => {
    const start = `${models}.`;
    const to = (key: string): string | undefined =>
      key.startsWith(start) ? `${own}.${key.slice(start.length)}` : undefined;
    const found = rename(model, to, { tag: `as ${own}` });
    if (found.tensors.size > 0) return found;
    throw misfit(net, `a model with '${models}'`, 'none; it was made for other models');
  });
  if (borrowed.length === 0) return net.source;
  return { ...mergeSources([net.source, ...borrowed]), label: net.source.label };
}

function checkType(net: ControlNet, types: number): void {
  if (types === 0 || net.type === undefined || net.type < types) return;
  throw misfit(net, `one of its ${types} kinds of hints`, `kind ${net.type + 1}`);
}

function checkInputs(
  net: ControlNet,
  { contextWidth, pooledWidth, inChannels }: ControlSizes,
  { cond, x }: ModelInput,
): void {
  const other = 'it was made for other models';
  const width = (cond.crossControl ?? cond.cross).shape[2];
  if (contextWidth !== undefined && width !== contextWidth) {
    throw misfit(net, `a text width of ${contextWidth}`, `${width}; ${other}`);
  }
  if (x.shape[1] !== inChannels) {
    throw misfit(net, `a latent of ${inChannels} channels`, `${x.shape[1]}; ${other}`);
  }
  const frames = x.shape.length === 5 ? x.shape[2] : 1;
  if (frames !== 1) throw misfit(net, 'a latent of one picture', `${frames} frames`);
  const pooled = cond.pooled?.shape[1];
  if (pooledWidth !== undefined && pooled !== pooledWidth) {
    throw misfit(net, `a pooled text of width ${pooledWidth}`, `${pooled ?? 'none'}; ${other}`);
  }
}
