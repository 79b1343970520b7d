/** `model.arch`: upstream's names of model families, and ours. */
import { Complaint } from '../findings.ts';
import { flag } from '../readers.ts';
import { camelCase, key } from '../row.ts';

/** A family under upstream's name. */
export interface Arch {
  /** Upstream's name. */
  readonly name: string;
  /** The name of the family here (`Family.name`). */
  readonly family: string;
}

/** Upstream's name -> ours. */
const FAMILIES: Readonly<Record<string, string>> = {
  sd1: 'sd1',
  sd2: 'sd2',
  sdxl: 'sdxl',
  sd3: 'sd3',
  pixart: 'pixart-alpha',
  pixart_sigma: 'pixart-sigma',
  auraflow: 'auraflow',
  flux: 'flux',
  flex1: 'flux',
  lumina2: 'lumina2',
  chroma: 'chroma',
  chroma_radiance: 'chroma-radiance',
  hidream: 'hidream',
  omnigen2: 'omnigen2',
  qwen_image: 'qwen-image',
  flux2: 'flux2',
  flux2_klein_4b: 'flux2',
  flux2_klein_9b: 'flux2',
  zimage: 'z-image',
  mageflow: 'mage-flow',
};

/** The older form: a flag for each. */
const FLAGS = {
  is_v2: 'sd2',
  is_xl: 'sdxl',
  is_v3: 'sd3',
  is_flux: 'flux',
  is_lumina2: 'lumina2',
  is_pixart: 'pixart',
  is_pixart_sigma: 'pixart_sigma',
  is_auraflow: 'auraflow',
  is_ssd: 'ssd',
  is_vega: 'vega',
} as const;

const no = key(flag, false);

export const olderForms = {
  is_v2: no,
  is_xl: no,
  is_v3: no,
  is_flux: no,
  is_lumina2: no,
  is_pixart: no,
  is_pixart_sigma: no,
  is_auraflow: no,
  is_ssd: no,
  is_vega: no,
};

/**
 * The family that `arch` names (`name` or `name:tag`), else the first flag of `values` that is set; undefined where nothing is
 * said. Throws a `Complaint` with the names that there are for one that is not trained here.
 */
export function archOf(
  arch: string | undefined,
  values: Readonly<Record<string, unknown>>,
): Arch | undefined {
  const flagged = Object.entries(FLAGS).find(([name]) => values[camelCase(name)] === true)?.[1];
  const name = arch?.split(':')[0].trim() ?? flagged;
  if (name === undefined) return undefined;
  if (!Object.hasOwn(FAMILIES, name)) {
    throw new Complaint(
      `${name} is not trained here; the models that are: ${Object.keys(FAMILIES).join(', ')}`,
    );
  }
  return { name, family: FAMILIES[name] };
}
