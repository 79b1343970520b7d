/** Prompts that a model takes as JSON. */
import { dynamicCombo, inModule, socket, string } from '../engine/node.ts';
import type { NodeDefinition } from '../engine/node.ts';
import { strip } from '../engine/python/string.ts';

const line = () => string({ default: '' });
const lines = () => string({ default: '', multiline: true });

export const buildJsonPromptIdeogram = inModule(
  'comfy_extras.nodes_json_prompt',
  'v3',
)({
  name: 'BuildJsonPromptIdeogram',
  displayName: 'Build JSON Prompt (Ideogram)',
  category: 'text',
  description: 'Puts the parts of a prompt for Ideogram 4 together as its JSON.',
  experimental: true,
  inputs: {
    element: socket('ARRAY', {}),
    high_level_description: lines(),
    background: lines(),
    style: dynamicCombo([
      { key: 'none', inputs: {} },
      { key: 'photo', inputs: { photo: line() } },
      { key: 'art_style', inputs: { art_style: line() } },
    ]),
    aesthetics: line(),
    lighting: line(),
    medium: line(),
    color_palette: socket('COLORS', { default: [], socketless: false }),
  },
  outputs: [{ type: 'DICT', name: 'prompt' }],
  run: ({ element, style, high_level_description, background, ...look }) => {
    const { aesthetics, lighting, medium } = look;
    const prompt: Record<string, unknown> = {};
    if (strip(high_level_description) !== '') {
      prompt.high_level_description = high_level_description;
    }
    if (style.style !== 'none') {
      const kind =
        style.style === 'photo'
          ? { photo: style.photo ?? '', medium }
          : { medium, art_style: style.art_style ?? '' };
      const palette = upperCase(look.color_palette);
      prompt.style_description = {
        aesthetics,
        lighting,
        ...kind,
        color_palette: palette.length > 0 ? palette : undefined,
      };
    }
    const elements: unknown = Array.isArray(element) ? element : [];
    prompt.compositional_deconstruction = { background, elements };
    return [prompt];
  },
});

/** The texts of a list, or of the values of an object. */
function upperCase(colours: unknown): string[] {
  const list = typeof colours === 'object' && colours !== null ? Object.values(colours) : [];
  return list.filter((v) => typeof v === 'string' && v !== '').map((v) => String(v).toUpperCase());
}

export const jsonPromptNodes: readonly NodeDefinition[] = [buildJsonPromptIdeogram];
