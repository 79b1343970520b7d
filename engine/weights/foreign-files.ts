/**
 * What files are that cannot be read as weights, from what they begin with and what their tensors are called,
 * so that the refusal can say what to get instead.
 */

/** What a file begins with that somebody took for a safetensors file. */
const beginnings: readonly (readonly [start: RegExp, what: string])[] = [
  [/^version https:\/\/git-lfs/, 'a pointer of Git LFS: the file itself was not fetched'],
  [/^\s*</, 'a web page: what was saved is not the file but a page about it, or an error'],
  [/^GGUF/, 'a GGUF file: its name has to end in .gguf'],
  [/^PK/, 'a file of torch: its name has to end in .ckpt, .pt or .pth'],
];

/** What a file seems to be that begins with these bytes; undefined when that is not known. */
export function seemsToBe(head: Uint8Array): string | undefined {
  const text = Buffer.from(head).toString('latin1');
  return beginnings.find(([start]) => start.test(text))?.[1];
}

/** Formats of weights in few bits that nothing here reads, by the names of tensors beside a weight. */
const formats: readonly (readonly [name: RegExp, format: string])[] = [
  [/\.(absmax|quant_map)$/, 'in four bits by bitsandbytes'], // without a description, which tells their type
  [/\.SCB$/, 'in eight bits by bitsandbytes'],
  [/\.(wscales|smooth_factor|proj_down)$/, 'in four bits by SVDQuant (Nunchaku)'],
  [/\.qzeros$/, 'in few bits by GPTQ or AWQ'],
  [/\.weight\._(data|scale)$/, 'in few bits by quanto'],
];

/** How weights of these tensors are stored that nothing here reads; undefined when there are none. */
export function foreignFormat(names: Iterable<string>): string | undefined {
  for (const name of names) {
    const found = formats.find(([pattern]) => pattern.test(name));
    if (found) return `${found[1]} ('${name}')`;
  }
  return undefined;
}
