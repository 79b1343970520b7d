/** The kinds of text encoders, and which of them a file holds. */
import type { TextEncoderSpec } from '../arch/family.ts';
import { foreignTextEncoder } from '../arch/families/foreign.ts';
import { NoodleError } from '../errors.ts';
import { openWeights } from '../tensor/cursor.ts';
import { type WeightSource, sub } from '../weights/source.ts';
import { bertEncoderKind } from './bert-encoder.ts';
import { clipEncoderKind } from './clip-encoder.ts';
import { instead } from './contents.ts';
import { languageModelKind } from './language-model-encoder.ts';
import { t5EncoderKind } from './t5-encoder.ts';
import type { TextEncoder, TextEncoderKind } from './text-encoder.ts';

const kinds: Readonly<Record<TextEncoderSpec['kind'], TextEncoderKind>> = {
  clip: clipEncoderKind,
  t5: t5EncoderKind,
  bert: bertEncoderKind,
  'language-model': languageModelKind,
};

/** The encoder of `spec` in a source (its prefix removed); undefined when it is not there. */
export function openTextEncoder(
  source: WeightSource,
  spec: TextEncoderSpec,
): TextEncoder | undefined {
  const kind = kinds[spec.kind];
  return kind.open(kind.normalise(source), spec);
}

/** A text encoder's own file, and which encoder that is. Throws FAMILY_UNKNOWN when it is none. */
export function identifyTextEncoder(file: WeightSource): {
  readonly source: WeightSource;
  readonly spec: TextEncoderSpec;
} {
  const source = withoutPrefix(file);
  for (const kind of Object.values(kinds)) {
    const spec = kind.identify(kind.normalise(source));
    if (spec) return { source, spec };
  }
  const seems = foreignTextEncoder(openWeights(source));
  const supported = Object.values(kinds).flatMap(({ titles }) => Object.values(titles));
  const known = `${supported.slice(0, -1).join(', ')} and ${supported.at(-1)}`;
  const reason = seems
    ? `it seems to be ${seems}, of which parts are missing; supported text encoders are ${known}`
    : `it holds no known text encoder${instead(file)}${ggufArchitecture(file)}`;
  throw new NoodleError('FAMILY_UNKNOWN', { file: file.label, reason });
}

/** What a GGUF file says of itself. */
function ggufArchitecture({ metadata }: WeightSource): string {
  const architecture = metadata?.['general.architecture'];
  return architecture === undefined
    ? ''
    : `: it is a GGUF file of the architecture '${architecture}'`;
}

/** ComfyUI's saved encoders have their name and `transformer.` in front of the keys. */
function withoutPrefix(source: WeightSource): WeightSource {
  const prefix = Object.values(kinds)
    .flatMap(({ titles }) => Object.keys(titles))
    .map((name) => `${name}.transformer.`)
    .find((start) => [...source.tensors.keys()].some((key) => key.startsWith(start)));
  return prefix === undefined ? source : sub(source, prefix);
}
