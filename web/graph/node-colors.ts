import type { LGraphNode } from '@comfyorg/litegraph';
import { mix, readableGround, vivid } from './color.ts';
import { t } from '../locale/translate.ts';
import { palette } from './palette.ts';

/** litegraph's names of the colours that nodes and groups can be given. */
const names: Readonly<Record<string, string>> = {
  red: 'red',
  brown: 'brown',
  green: 'green',
  blue: 'blue',
  pale_blue: 'pale blue',
  cyan: 'cyan',
  purple: 'purple',
  yellow: 'yellow',
  black: 'black',
};

/** What a colour is called on the page. */
export const colorName = (name: string): string => t(names[name] ?? name);

/** What a node is painted with. */
export interface NodeColors {
  readonly title: string;
  readonly body: string;
}

interface Colored {
  readonly color?: string;
  readonly bgcolor?: string;
  readonly constructor: unknown;
}

/**
 * A node's colours in the present theme. Files keep colours made for a dark page; here they are a
 * hue that tints the theme's own grounds, the title well and the body a little, so that a text can
 * be read on every one of them.
 */
export function colorsOf(node: Colored): NodeColors {
  const made = node.constructor as { color?: string; bgcolor?: string };
  const title = node.color ?? made.color;
  const body = node.bgcolor ?? made.bgcolor;
  if (title === undefined && body === undefined) {
    return { title: palette.nodeTitle, body: palette.node };
  }
  const key = `${title}/${body}/${palette.node}`;
  let colors = known.get(key);
  if (colors === undefined) known.set(key, (colors = tinted(title ?? body, body ?? title)));
  return colors;
}

const known = new Map<string, NodeColors>();

/** `title` and `body` are given together or stand for each other. */
function tinted(title = '', body = ''): NodeColors {
  // The brighter of the two has the hue that people chose; the darker one is its shadow.
  const hue = vivid(body === '#000' || body === '' ? title : body);
  const { text, textSoft } = palette;
  return {
    title: readableGround(mix(palette.nodeTitle, hue, 0.38), text, palette.nodeTitle),
    body: readableGround(mix(palette.node, hue, 0.15), textSoft, palette.node),
  };
}

/** The ground of a stand-in for a missing node, red in every theme. */
export const missingColors = (): NodeColors => ({
  title: palette.missingTitle,
  body: palette.missing,
});

/** A node whose colours are not the user's to choose. */
export interface OwnColors {
  readonly ownColors: NodeColors | null;
}

/** The colours a node is drawn with: its own, where it insists, else those of its user. */
export function drawnColors(node: LGraphNode): NodeColors {
  const own = 'ownColors' in node ? (node as unknown as OwnColors).ownColors : null;
  return own ?? colorsOf(node);
}
