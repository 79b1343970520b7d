/** Text over pictures. */
import { NoodleError } from '../engine/errors.ts';
import { boolean, combo, float, image, inModule, socket, string } from '../engine/node.ts';
import type { NodeDefinition } from '../engine/node.ts';

export const textOverlay = inModule(
  'comfy_extras.nodes_text_overlay',
  'v3',
)({
  name: 'TextOverlay',
  displayName: 'Draw Text Overlay',
  category: 'text',
  description: 'Draws a text over pictures.',
  inputs: {
    images: image({}),
    text: string({ multiline: true, default: '' }),
    font_size: float({ default: 5, min: 0.5, max: 50, step: 0.5 }),
    color: socket<string>('COLOR', { default: '#ffffff', socketless: true }),
    position: combo(['top', 'bottom'], { default: 'top' }),
    align: combo(['left', 'center', 'right'], { default: 'left' }),
    outline: boolean({ default: true }),
  },
  outputs: [{ type: 'IMAGE', name: 'images' }],
  run: async ({ images, text, font_size: fontSize, color, position, align, outline }) => {
    if (text.trim() === '') return [images];
    const { overlayText } = await import('../engine/media/text-overlay.ts');
    const style = { fontSize, colour: colourOf(color), position, align, outline };
    return [overlayText(images, text, style)];
  },
});

/** `#rgb`, `#rgba`, `#rrggbb` or `#rrggbbaa` as RGBA bytes; throws BAD_INPUT for others. */
function colourOf(given: unknown): number[] {
  const digits = /^#([0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})$/i.exec(String(given).trim())?.[1];
  if (digits === undefined) {
    const expected = 'a colour such as #rrggbb or #rrggbbaa';
    throw new NoodleError('BAD_INPUT', { subject: 'color', expected, got: given });
  }
  const long = digits.length < 6 ? digits.replace(/./g, '$&$&') : digits;
  return [...(long + 'ff').matchAll(/../g)].slice(0, 4).map(([pair]) => Number.parseInt(pair, 16));
}

export const textOverlayNodes: readonly NodeDefinition[] = [textOverlay];
