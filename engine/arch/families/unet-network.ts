/** What all UNet families share: their inputs, and what lies beside the latent on extra channels. */
import type { Tensor } from '../../tensor/tensor.ts';
import type { Graph } from '../../tensor/trace.ts';
import type { SamplingSettings } from '../../sampling/model-sampling.ts';
import type { ExtraChannels } from '../family.ts';
import { type UNetConfig, unet } from '../unet.ts';

/** Declares the UNet's inputs and runs it; `y` makes the vector condition where there is one. */
export function unetNetwork(
  g: Graph,
  config: UNetConfig,
  y?: (g: Graph) => Tensor,
): Record<string, Tensor> {
  const x = g.input('x', 'f32', ['batch', config.inChannels, 'height', 'width']);
  const timesteps = g.input('timesteps', 'f32', ['batch']);
  const context = g.input('cross', 'f32', ['batch', 'tokens', contextWidth(config)]);
  const inputs = { x, timesteps, context, y: y?.(g) };
  return { out: unet(g.weights, inputs, config) };
}

/** 4 latent channels; 5 more are an inpaint model's mask and picture, 4 more an instruct model's picture. */
export function extraChannels(config: UNetConfig, sampling: SamplingSettings): ExtraChannels {
  if (config.inChannels === 9) return 'inpaint';
  if (config.inChannels !== 8) return 'none';
  // CosXL Edit was trained on the picture in latent units, InstructPix2Pix on the raw one
  return sampling.prediction === 'v-edm' ? 'instruct-scaled' : 'instruct';
}

/** Width of the text embedding; families refuse UNets without attention. */
export const contextWidth = (config: UNetConfig): number => config.contextWidth!;

/** Whether the number of input channels is one that `extraChannels` knows. */
export const knownChannels = (config: UNetConfig): boolean => [4, 8, 9].includes(config.inChannels);
