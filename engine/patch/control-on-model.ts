/**
 * Control networks whose file changes the weights of a UNet: Control-LoRAs (Stability AI 2023) hold
 * low-rank products and whole tensors, difference files hold differences from the UNet they were
 * trained on.
 */
import { sizeOf } from '../array/nd.ts';
import { widened } from '../tensor/cursor.ts';
import { add, conv, linear, matmul, reshape } from '../tensor/nn.ts';
import type { Layer } from '../tensor/patch.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { type WeightSource, mergeSources, rename } from '../weights/source.ts';
import type { NetworkPatch } from './patch.ts';

interface Network {
  readonly source: WeightSource;
  readonly patches: readonly NetworkPatch[];
}

/** The control network that `file` makes of a UNet's weights, with what changes those weights. */
export function controlOnModel(
  { source, patches }: Network,
  file: WeightSource,
  kind: 'lora' | 'difference',
): Network {
  const inBase = (key: string): boolean => source.tensors.has(key);
  const whole = rename(
    file,
    (key) => {
      const own = kind === 'lora' ? /\.(weight|bias)$/.test(key) : !inBase(key);
      return own ? key : undefined;
    },
    { tag: `whole:${kind}` },
  );
  const replaced = new Set(whole.tensors.keys());
  return {
    source: mergeSources([source, whole]),
    patches: [
      ...patches.flatMap((patch) => onKeys(patch, (key) => !replaced.has(key))),
      kind === 'lora' ? products(file) : differences(file, inBase),
    ],
  };
}

/** What a patch does to weights of these keys; what it does elsewhere in a UNet is not for this network. */
function onKeys(patch: NetworkPatch, keep: (key: string) => boolean): NetworkPatch[] {
  const keys = new Set([...(patch.keys ?? [])].filter(keep));
  return keys.size === 0 ? [] : [{ ...patch, keys, at: undefined }];
}

/** `<layer>.up` and `<layer>.down` beside the layer. */
function products(file: WeightSource): NetworkPatch {
  const layers = [...file.tensors.keys()]
    .filter((key) => key.endsWith('.down') && file.tensors.has(key.replace(/down$/, 'up')))
    .map((key) => key.slice(0, -'.down'.length));
  return {
    identity: `control lora ${file.identity}`,
    keys: new Set(layers.map((layer) => `${layer}.weight`)),
    change: (key, value) => {
      const [down, up] = ['down', 'up'].map((name) => {
        const { shape, tensor } = factorOf(file, key, name);
        return reshape(tensor, [shape[0], sizeOf(shape.slice(1))]);
      });
      return add(value, reshape(matmul(up, down), value.shape));
    },
    beside: (layer) => product(layer, file),
  };
}

function product({ key, shape, run }: Layer, file: WeightSource): Tensor {
  const [down, up] = ['down', 'up'].map((name) => factorOf(file, key, name));
  const [out, ...rest] = shape;
  const rank = up.shape[1];
  const h = run(reshape(down.tensor, [rank, ...rest])); // the layer with r outputs
  if (rest.length === 1) return linear(h, reshape(up.tensor, [out, rank]));
  return conv(h, reshape(up.tensor, [out, rank, ...rest.slice(1).map(() => 1)]));
}

/** One of the two factors of a weight's change. */
function factorOf(
  file: WeightSource,
  key: string,
  name: string,
): { readonly shape: readonly number[]; readonly tensor: Tensor } {
  const path = key.replace(/weight$/, name);
  const entry = file.tensors.get(path)!;
  return { shape: entry.shape, tensor: widened(path, entry, path) };
}

/** Every stored tensor added to the UNet's of the same key. */
const differences = (file: WeightSource, inBase: (key: string) => boolean): NetworkPatch => ({
  identity: `control difference ${file.identity}`,
  keys: new Set([...file.tensors.keys()].filter(inBase)),
  change: (key, value) => add(value, widened(key, file.tensors.get(key)!, key)),
});
