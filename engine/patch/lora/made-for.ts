/** Which networks an adapter file was made for, from the names in it: so that a message can say so. */

/** The first row that fits any name counts; names are dotted or underscored. */
const networks: readonly (readonly [name: RegExp, network: string])[] = [
  [/(double|single)_blocks|single_transformer_blocks/, 'Flux'],
  [/joint_blocks/, 'Stable Diffusion 3'],
  [/transformer_blocks[._]\d+[._](attn[._]add_|img_|txt_|ff_context)/, 'a diffusion transformer'],
  [
    /(input|output|down|up)_blocks|(mid|middle)_block/,
    'a UNet (Stable Diffusion 1, 2, XL and their kin)',
  ],
  [/layers[._]\d+[._](attention|feed_forward)/, 'Lumina 2 or Z-Image'],
  [/blocks[._]\d+[._](self|cross)_attn/, 'Wan'],
  [/text_encoder|lora_te/, 'text encoders alone'],
];

/** The networks that an adapter with these names changes; undefined when no name is known. */
export function madeFor(names: readonly string[]): string | undefined {
  return networks.find(([pattern]) => names.some((name) => pattern.test(name)))?.[1];
}
