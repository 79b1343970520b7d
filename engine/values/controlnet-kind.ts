/** ControlNets (engine/arch/controlnet.ts) on a run: the hint once for each size, the rest once a call. */
import type { NDArray } from '../array/nd.ts';
import {
  type ControlNetConfig,
  controlNet,
  detectControlNet,
  hintFeatures,
  hintScale,
} from '../arch/controlnet.ts';
import { vectorCondition } from '../arch/families/sdxl.ts';
import { controlOnModel } from '../patch/control-on-model.ts';
import type { ModelInput } from '../sampling/model.ts';
import { openWeights } from '../tensor/cursor.ts';
import { expand, mean, mul } from '../tensor/nn.ts';
import { mulDim, symbol } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Graph } from '../tensor/trace.ts';
import { hintsOf } from './control-hint.ts';
import { type Control, type ControlKind, type ControlNet, misfit } from './control-net.ts';
import { type NetworkRun, type Weighted, openFeeder, openNetwork } from './network.ts';

/** A ControlNet bound to a run. Throws BAD_INPUT where it does not fit the model. */
export const controlNetKind: ControlKind = (control, run) => {
  const { net, strength } = control;
  const network = networkOf(net, run.network);
  const config = detectControlNet(openWeights(network.source));
  if (!config) throw misfit(net, 'a model with a UNet', 'another network');
  checkType(net, config);
  const hints = hintsOf(control.image, {
    channels: config.hintChannels,
    size: ({ height, width }) => ({ height: height * hintScale, width: width * hintScale }),
    run: hintRun(network, control, config, run),
  });
  const parts = [...config.outputs, config.middle];
  return {
    cellBytes: parts.reduce(
      (sum, { channels, halvings }) => sum + (channels * 4) / 4 ** halvings,
      0,
    ),
    sizes: { input: [], middle: [config.middle], output: config.outputs },
    check: (input) => checkText(net, config, input),
    async residuals(input) {
      const { features } = await hints.forCall(input);
      const count = input.cond.numbers?.shape[1];
      // what is added to nothing else never has to leave the device
      const open = run.isAlone ? openFeeder : openNetwork;
      const ask = open(run, network, {
        name: 'controlnet',
        settings: { pooled: net.pooled, numbers: config.admWidth && count },
        build: (g) => build(g, config, net.pooled, count),
      });
      const { cross, crossControl = cross, pooled, numbers } = input.cond;
      const { middle, ...outputs } = await ask(
        {
          x: input.x,
          timesteps: { data: input.timesteps, shape: [input.timesteps.length] },
          cross: crossControl,
          hint: features,
          strength: { data: Float32Array.of(strength), shape: [] },
          types: typeVector(net, config),
          ...(config.admWidth && { pooled, numbers }),
        },
        { rows: input.timesteps.length, input },
      );
      const output = config.outputs.map((_, i) => outputs[`output.${i}`]);
      return { input: [], middle: [middle], output };
    },
  };
};

/** The network's own weights, or what the file makes of a UNet's. */
function networkOf({ source, patches, onModel }: ControlNet, sampled: Weighted): Weighted {
  if (onModel === undefined) return { source, patches };
  return onModel === 'lora'
    ? controlOnModel(sampled, source, 'lora')
    : controlOnModel(onModel.base, source, 'difference');
}

const hintRun = (
  network: Weighted,
  { net: { type } }: Control,
  config: ControlNetConfig,
  run: NetworkRun,
): ((picture: NDArray) => Promise<{ readonly features: NDArray }>) => {
  const told = config.types !== undefined && type !== undefined;
  const ask = openNetwork(run, network, {
    name: 'controlnet-hint',
    settings: { told },
    build: (g) => {
      const sides = ['height', 'width'].map((name) => mulDim(symbol(name), hintScale));
      const hint = g.input('hint', 'f32', ['batch', config.hintChannels, ...sides]);
      const task = told ? g.input('task', 'i64', [1]) : undefined;
      return { features: hintFeatures(g.weights, hint, task) };
    },
  });
  return async (hint) => {
    const { features } = await ask({ hint, task: { ids: [type ?? 0], shape: [1] } }, { rows: 1 });
    return { features };
  };
};

/** Declares the inputs; every residual times the strength, or its mean over the picture. */
function build(
  g: Graph,
  config: ControlNetConfig,
  pooledOutputs: boolean,
  numberCount: number | undefined,
): Record<string, Tensor> {
  const { inChannels, contextWidth, admWidth, modelChannels, types } = config;
  const x = g.input('x', 'f32', ['batch', inChannels, 'height', 'width']);
  const timesteps = g.input('timesteps', 'f32', ['batch']);
  const context = g.input('cross', 'f32', ['batch', 'tokens', contextWidth!]);
  const hint = g.input('hint', 'f32', ['batch', modelChannels, 'height', 'width']);
  const strength = g.input('strength', 'f32', []);
  const inputs = { x, timesteps, context, hint };
  const vector = (width: number, count: number): Tensor =>
    vectorCondition(
      g.input('pooled', 'f32', ['batch', width - 256 * count]),
      g.input('numbers', 'f32', ['batch', count]),
    );
  const outputs = controlNet(
    g.weights,
    {
      ...inputs,
      y: admWidth === undefined ? undefined : vector(admWidth, numberCount!),
      types: types === undefined ? undefined : g.input('types', 'f32', [types]),
    },
    config,
  );
  const scaled = (out: Tensor): Tensor =>
    mul(pooledOutputs ? expand(mean(out, [2, 3], { keep: true }), out.shape) : out, strength);
  return Object.fromEntries(Object.entries(outputs).map(([name, out]) => [name, scaled(out)]));
}

function typeVector({ type }: ControlNet, { types = 0 }: ControlNetConfig): NDArray {
  const data = Float32Array.from({ length: types }, (_, i) => (i === type ? 1 : 0));
  return { data, shape: [types] };
}

function checkType(net: ControlNet, { types }: ControlNetConfig): void {
  if (types === undefined || net.type === undefined || net.type < types) return;
  throw misfit(net, `one of its ${types} kinds of hints`, `kind ${net.type + 1}`);
}

function checkText(net: ControlNet, config: ControlNetConfig, { cond, x }: ModelInput): void {
  const { contextWidth, admWidth, inChannels } = config;
  const got = (cond.crossControl ?? cond.cross).shape[2];
  if (got !== contextWidth) {
    throw misfit(net, `a text width of ${contextWidth}`, `${got}; it was made for other models`);
  }
  if (x.shape[1] !== inChannels) {
    throw misfit(net, `a latent of ${inChannels} channels`, `${x.shape[1]}`);
  }
  const vector = cond.pooled && cond.numbers && cond.pooled.shape[1] + 256 * cond.numbers.shape[1];
  if (admWidth !== undefined && vector !== admWidth) {
    throw misfit(net, `a vector condition of width ${admWidth}`, `${vector ?? 'none'}`);
  }
}
