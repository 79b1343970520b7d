/** Random adapters of full size for the random checkpoints: a LoRA of rank 16, a ControlNet. */
import {
  type Shapes,
  type UNetShapes,
  encoder,
  layer,
  randomFile,
  scoped,
  unet,
} from './random-checkpoint.ts';

const rank = 16;

/** Path of a LoRA on every attention projection of a UNet, under the names of its tensors. */
export function randomLora(name: string, shapes: UNetShapes): Promise<string> {
  const network: Shapes = new Map();
  unet(scoped(network, 'diffusion_model.'), shapes);
  const lora: Shapes = new Map();
  for (const [key, [outputs, inputs]] of network) {
    if (!/\.attn[12]\.to_(q|k|v|out\.0)\.weight$/.test(key)) continue;
    const layerName = key.replace(/\.weight$/, '');
    lora.set(`${layerName}.lora_up.weight`, [outputs, rank]);
    lora.set(`${layerName}.lora_down.weight`, [rank, inputs]);
  }
  return randomFile(`lora-${name}`, lora);
}

/** Path of a ControlNet for a UNet: its encoder, one that reads the picture, and a way out for each block. */
export function randomControlNet(name: string, shapes: UNetShapes): Promise<string> {
  const net: Shapes = new Map();
  const put = scoped(net, 'control_model.');
  encoder(put, shapes).forEach((c, i) => layer(put, `zero_convs.${i}.0`, c, c, 1, 1));
  const last = shapes.width.at(-1)!;
  layer(put, 'middle_block_out.0', last, last, 1, 1);
  const hint = [3, 16, 16, 32, 32, 96, 96, 256, 320];
  hint.slice(1).forEach((c, i) => layer(put, `input_hint_block.${2 * i}`, c, hint[i], 3, 3));
  return randomFile(`control-${name}`, net);
}
