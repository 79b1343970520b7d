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

/** Modules outside the levels: diffusers' name, ours. */
const fixedModules: readonly (readonly [theirs: string, ours: string])[] = [
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
];

/**
 * Diffusers key -> latent-diffusion key. Diffusers nests layers by level; latent-diffusion numbers
 * all blocks of a side through, so the numbers follow from how many layers every level has.
 */
export function diffusersUNetKeys(keys: Iterable<string>): Map<string, string> {
  const all = [...keys];
  const modules = new Map<string, string>(fixedModules);
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

/**
 * The modules (keys without `.weight`) of a UNet in latent-diffusion names, each with the names that
 * diffusers has for it. Levels follow from where the network changes its resolution.
 */
export function diffusersModules(keys: Iterable<string>): Map<string, readonly string[]> {
  const modules = [...keys]
    .filter((key) => key.endsWith('.weight'))
    .map((key) => key.slice(0, -'.weight'.length));
  const parents = levelNames(new Set(modules));
  const names = new Map<string, readonly string[]>();
  for (const module of modules) {
    const fixed = fixedModules.filter(([, ours]) => ours === module).map(([theirs]) => theirs);
    if (fixed.length > 0) names.set(module, fixed);
    // `input_blocks.4.1.proj_in`: the part is named by its block and place, the rest stays
    const [, part, rest] =
      /^((?:input|output)_blocks\.\d+\.\d+|middle_block\.\d+)\.(.+)$/.exec(module) ?? [];
    const parent = parents.get(part);
    if (parent === undefined) continue;
    const isResBlock = parent.includes('.resnets.');
    const inner = isResBlock ? (theirResBlock.get(rest) ?? rest) : rest;
    names.set(module, [/^(op|conv)$/.test(rest) ? parent : `${parent}.${inner}`]);
  }
  return names;
}

/** `input_blocks.4.1` -> `down_blocks.1.attentions.0`, and so on. */
function levelNames(modules: ReadonlySet<string>): Map<string, string> {
  const names = new Map<string, string>();
  const has = (prefix: string): boolean => any([...modules], `${prefix}.`);
  const sides = [
    { ours: 'input_blocks', theirs: 'down_blocks', first: 1, scaler: 'op', name: 'downsamplers' },
    { ours: 'output_blocks', theirs: 'up_blocks', first: 0, scaler: 'conv', name: 'upsamplers' },
  ];
  for (const { ours, theirs, first, scaler, name } of sides) {
    let [level, layer] = [0, 0];
    for (let i = first; has(`${ours}.${i}`); i++) {
      const block = `${ours}.${i}`;
      if (has(`${block}.0.in_layers`)) {
        names.set(`${block}.0`, `${theirs}.${level}.resnets.${layer}`);
        if (has(`${block}.1.transformer_blocks`) || has(`${block}.1.proj_in`)) {
          names.set(`${block}.1`, `${theirs}.${level}.attentions.${layer}`);
        }
        layer++;
      }
      for (let place = 0; place < 3; place++) {
        if (!modules.has(`${block}.${place}.${scaler}`)) continue;
        names.set(`${block}.${place}`, `${theirs}.${level}.${name}.0.conv`);
        level++;
        layer = 0;
      }
    }
  }
  names.set('middle_block.0', 'mid_block.resnets.0');
  names.set('middle_block.1', 'mid_block.attentions.0');
  names.set('middle_block.2', 'mid_block.resnets.1');
  return names;
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

const theirResBlock = new Map(Object.entries(resBlock).map(([theirs, ours]) => [ours, theirs]));

function resBlockKey(rest: string): string {
  const [layer, ...name] = rest.split('.');
  return [resBlock[layer] ?? layer, ...name].join('.');
}

const any = (keys: readonly string[], prefix: string): boolean =>
  keys.some((key) => key.startsWith(prefix));
