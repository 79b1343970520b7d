/** GLIGEN: a network that grounds words in boxes, and the change `gligen` of conditioning entries. */
import {
  type GligenConfig,
  detectGligen,
  gligenFuser,
  gligenObjects,
  gligenTokens,
} from '../arch/gligen.ts';
import type { NDArray } from '../array/nd.ts';
import { NoodleError } from '../errors.ts';
import type { NetworkPatch } from '../patch/patch.ts';
import type { Conditioning, NetworkChange } from '../sampling/conditioning.ts';
import { openWeights } from '../tensor/cursor.ts';
import { input } from '../tensor/nn.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { WeightSource } from '../weights/source.ts';
import type { BoundChange, ChangeRun } from './change.ts';

/** GLIGEN: the network of a file. */
export interface Gligen {
  readonly source: WeightSource;
  readonly config: GligenConfig;
}

/** A box in latent cells with its words. */
export interface TextBox {
  /** Pooled text, not projected: [1, width]. */
  readonly text: NDArray;
  readonly height: number;
  readonly width: number;
  readonly y: number;
  readonly x: number;
}

/** The boxes of an entry, oldest first. */
export interface TextBoxes extends NetworkChange {
  readonly gligen: Gligen;
  readonly boxes: readonly TextBox[];
}

/** The GLIGEN of a file. Throws FAMILY_UNKNOWN when it holds none. */
export function openGligen(source: WeightSource): Gligen {
  const config = detectGligen(openWeights(source));
  if (config) return { source, config };
  throw new NoodleError('FAMILY_UNKNOWN', { file: source.label, reason: 'it holds no GLIGEN' });
}

/** Every entry with one more box. Throws BAD_INPUT for words of another width and for too many boxes. */
export function withTextBox(
  conditioning: Conditioning,
  gligen: Gligen,
  box: TextBox,
): Conditioning {
  const { textWidth } = gligen.config;
  if (box.text.shape[1] !== textWidth) {
    throw new NoodleError('BAD_INPUT', {
      subject: 'clip',
      expected: `a text encoder of width ${textWidth}, which ${gligen.source.label} was trained on`,
      got: `width ${box.text.shape[1]}`,
    });
  }
  // entries that had the same boxes before share the new ones too, so that they can share calls
  const made = new Map<TextBoxes | undefined, TextBoxes>();
  return conditioning.map((entry) => {
    const previous = entry.changes?.['gligen'] as TextBoxes | undefined;
    const boxes = [...(previous?.boxes ?? []), box];
    if (boxes.length > gligenObjects) {
      const expected = `at most ${gligenObjects} boxes`;
      throw new NoodleError('BAD_INPUT', { subject: 'GLIGEN', expected, got: boxes.length });
    }
    const change = made.get(previous) ?? { gligen, boxes, spreads: true };
    made.set(previous, change);
    return { ...entry, changes: { ...entry.changes, gligen: change } };
  });
}

/** Boxes bound to a run. Throws BAD_INPUT for a network that has none of the blocks it was trained on. */
export function bindTextBoxes({ gligen, boxes }: TextBoxes, { network }: ChangeRun): BoundChange {
  const fits = gligen.config.blocks.some((block) =>
    network.source.tensors.has(`${block}.attn1.to_q.weight`),
  );
  if (!fits) {
    throw new NoodleError('BAD_INPUT', {
      subject: 'gligen_textbox_model',
      expected: 'a GLIGEN that was trained on this model',
      got: gligen.source.label,
    });
  }
  const patch = gligenPatch(gligen);
  return {
    patches: ({ x }) => {
      const [height, width] = x.shape.slice(-2);
      const feeds = boxFeeds(boxes, gligen.config.textWidth, { height, width });
      return Promise.resolve([{ ...patch, feeds: () => feeds }]);
    },
    cellBytes: 0,
  };
}

/** The fusers behind every self-attention; boxes are fed. */
function gligenPatch({ source, config }: Gligen): NetworkPatch {
  const w = openWeights(source);
  const own = new Set(config.blocks.map((block) => `${block}.after_attn1`));
  const inputs = {
    boxes: input('gligen/boxes', 'f32', [1, gligenObjects, 4]),
    present: input('gligen/present', 'f32', [1, gligenObjects, 1]),
    texts: input('gligen/texts', 'f32', [1, gligenObjects, config.textWidth]),
  };
  let objects: Tensor | undefined;
  return {
    identity: `gligen ${source.identity}`,
    at: ({ name, inputs: { h }, run }) => {
      if (!own.has(name)) return undefined;
      objects ??= gligenTokens(w.at('position_net'), inputs);
      const fuser = w.at(name.replace(/after_attn1$/, 'fuser'));
      return gligenFuser(fuser, run({ h }), objects);
    },
  };
}

/** Places as parts of a picture of `height` x `width` cells. */
function boxFeeds(
  boxes: readonly TextBox[],
  textWidth: number,
  { height, width }: { height: number; width: number },
): Record<string, NDArray> {
  const places = new Float32Array(gligenObjects * 4);
  const present = new Float32Array(gligenObjects);
  const texts = new Float32Array(gligenObjects * textWidth);
  boxes.forEach((box, i) => {
    const { x, y } = box;
    places.set([x / width, y / height, (x + box.width) / width, (y + box.height) / height], 4 * i);
    present[i] = 1;
    texts.set(box.text.data, i * textWidth);
  });
  return {
    'gligen/boxes': { data: places, shape: [1, gligenObjects, 4] },
    'gligen/present': { data: present, shape: [1, gligenObjects, 1] },
    'gligen/texts': { data: texts, shape: [1, gligenObjects, textWidth] },
  };
}
