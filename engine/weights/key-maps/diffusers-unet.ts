/** UNet files of the diffusers library, under the names of single-file checkpoints. */
import { type WeightSource, rename } from '../source.ts';

/** Whether a source (its prefix removed) is a diffusers UNet. */
export function isDiffusersUNet(source: WeightSource): boolean {
  return (
    source.tensors.has('conv_in.weight') &&
    source.tensors.has('down_blocks.0.resnets.0.conv1.weight')
  );
}

/** The same tensors under latent-diffusion names. */
export function fromDiffusersUNet(source: WeightSource): WeightSource {
  const keys = diffusersUNetKeys(source.tensors.keys());
  return rename(source, (key) => keys.get(key) ?? key, { tag: 'diffusers-unet' });
}

/**
 * Diffusers key -> latent-diffusion key. Diffusers nests layers by level; latent-diffusion numbers
 * all blocks of a side through, so the numbers follow from how many layers every level has.
 */
export function diffusersUNetKeys(keys: Iterable<string>): Map<string, string> {
  const all = [...keys];
  const modules = new Map<string, string>([
    ['conv_in', 'input_blocks.0.0'],
    ['time_embedding.linear_1', 'time_embed.0'],
    ['time_embedding.linear_2', 'time_embed.2'],
    ['class_embedding.linear_1', 'label_emb.0.0'],
    ['class_embedding.linear_2', 'label_emb.0.2'],
    ['class_embedding', 'label_emb'],
    ['add_embedding.linear_1', 'label_emb.0.0'],
    ['add_embedding.linear_2', 'label_emb.0.2'],
    ['mid_block.resnets.0', 'middle_block.0'],
    ['mid_block.attentions.0', 'middle_block.1'],
    ['mid_block.resnets.1', 'middle_block.2'],
    ['conv_norm_out', 'out.0'],
    ['conv_out', 'out.2'],
  ]);
  numberDown(all, modules);
  numberUp(all, modules);

  const result = new Map<string, string>();
  for (const key of all) {
    // the longest module name that the key starts with
    for (let dot = key.lastIndexOf('.'); dot > 0; dot = key.lastIndexOf('.', dot - 1)) {
      const module = modules.get(key.slice(0, dot));
      if (module === undefined) continue;
      const rest = key.slice(dot + 1);
      result.set(key, `${module}.${key.includes('.resnets.') ? resBlockKey(rest) : rest}`);
      break;
    }
  }
  return result;
}

function numberDown(keys: readonly string[], modules: Map<string, string>): void {
  let n = 1;
  for (let level = 0; any(keys, `down_blocks.${level}.`); level++) {
    const block = `down_blocks.${level}`;
    for (let i = 0; any(keys, `${block}.resnets.${i}.`); i++, n++) {
      modules.set(`${block}.resnets.${i}`, `input_blocks.${n}.0`);
      modules.set(`${block}.attentions.${i}`, `input_blocks.${n}.1`);
    }
    if (any(keys, `${block}.downsamplers.`)) {
      modules.set(`${block}.downsamplers.0.conv`, `input_blocks.${n++}.0.op`);
    }
  }
}

function numberUp(keys: readonly string[], modules: Map<string, string>): void {
  let n = 0;
  for (let level = 0; any(keys, `up_blocks.${level}.`); level++) {
    const block = `up_blocks.${level}`;
    for (let i = 0; any(keys, `${block}.resnets.${i}.`); i++, n++) {
      modules.set(`${block}.resnets.${i}`, `output_blocks.${n}.0`);
      modules.set(`${block}.attentions.${i}`, `output_blocks.${n}.1`);
    }
    // the upsampler is the last layer of the level's last block
    const place = any(keys, `${block}.attentions.`) ? 2 : 1;
    modules.set(`${block}.upsamplers.0.conv`, `output_blocks.${n - 1}.${place}.conv`);
  }
}

const resBlock: Readonly<Record<string, string>> = {
  norm1: 'in_layers.0',
  conv1: 'in_layers.2',
  norm2: 'out_layers.0',
  conv2: 'out_layers.3',
  time_emb_proj: 'emb_layers.1',
  conv_shortcut: 'skip_connection',
};

function resBlockKey(rest: string): string {
  const [layer, ...name] = rest.split('.');
  return [resBlock[layer] ?? layer, ...name].join('.');
}

const any = (keys: readonly string[], prefix: string): boolean =>
  keys.some((key) => key.startsWith(prefix));
