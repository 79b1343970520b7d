/** Lists of LoRAs on a wire (LORA_STACK: [name, model strength, clip strength] each): Efficiency, Comfyroll. */
import { clip, combo, float, int, model, optional, socket } from 'noodle/node';
import type { NodeDefinition } from 'noodle/node';
import { inCategory } from './define.ts';
import { loadInto } from './loras.ts';

/** LORA_STACK. */
export type Stack = readonly (readonly [name: string, model: number, clip: number])[];

const efficiency = inCategory('Efficiency Nodes/Stackers');
const comfyroll = inCategory('🧩 Comfyroll Studio/✨ Essential/💊 LoRA');

const stack = () => socket<Stack | null>('LORA_STACK');
const file = () => combo((source) => ['None', ...source.modelFiles('loras')]);
const strength = () => float({ default: 1, min: -10, max: 10, step: 0.01 });

const output = { type: 'LORA_STACK', name: 'LORA_STACK' } as const;
const help = { type: 'STRING', name: 'show_help' } as const;
const PAGE = 'https://github.com/Suzie1/ComfyUI_Comfyroll_CustomNodes/wiki/LoRA-Nodes';

const named = (loras: Stack): Stack => loras.filter(([name]) => name !== 'None');

/** Rows `1 … count` of what a node was given, each made of the inputs with these prefixes. */
function rowsOf(given: Readonly<Record<string, unknown>>, count: number, prefixes: string[]) {
  return Array.from({ length: count }, (_, i) =>
    prefixes.map((prefix) => given[`${prefix}_${i + 1}`]),
  );
}

/** As many rows as the node has in the original, whatever of them is shown. */
const ROWS = Array.from({ length: 49 }, (_, i) => i + 1);

const stacker = efficiency({
  name: 'LoRA Stacker',
  inputs: {
    input_mode: combo(['simple', 'advanced'] as const),
    lora_count: int({ default: 3, min: 0, max: 50, step: 1 }),
    ...Object.fromEntries(
      ROWS.flatMap((n) => [
        [`lora_name_${n}`, file()],
        ...['lora_wt', 'model_str', 'clip_str'].map((name) => [`${name}_${n}`, strength()]),
      ]),
    ),
    lora_stack: optional(stack()),
  },
  outputs: [output],
  /** The own rows first, then those of the stack that came in. */
  run(inputs) {
    const given = inputs as Readonly<Record<string, unknown>>;
    const simple = given.input_mode === 'simple';
    const strengths = simple ? ['lora_wt', 'lora_wt'] : ['model_str', 'clip_str'];
    const count = Math.min(Number(given.lora_count), ROWS.length);
    const own = rowsOf(given, count, ['lora_name', ...strengths]) as unknown as Stack;
    const others = (given.lora_stack ?? []) as Stack;
    return [[...named(own), ...named(others)]];
  },
});

const crStack = comfyroll({
  name: 'CR LoRA Stack',
  displayName: '💊 CR LoRA Stack',
  inputs: {
    ...Object.fromEntries(
      [1, 2, 3].flatMap((n) => [
        [`switch_${n}`, combo(['Off', 'On'] as const)],
        [`lora_name_${n}`, file()],
        [`model_weight_${n}`, strength()],
        [`clip_weight_${n}`, strength()],
      ]),
    ),
    lora_stack: optional(stack()),
  },
  outputs: [output, help],
  /** Those that came in first, then the own rows that are on. */
  run({ lora_stack, ...rest }) {
    const given = rest as Readonly<Record<string, unknown>>;
    const on = rowsOf(given, 3, ['lora_name', 'model_weight', 'clip_weight']).filter(
      (_, i) => given[`switch_${i + 1}`] === 'On',
    ) as unknown as Stack;
    return [
      [...named((lora_stack as Stack | null | undefined) ?? []), ...named(on)],
      `${PAGE}#cr-lora-stack`,
    ];
  },
});

const crApply = comfyroll({
  name: 'CR Apply LoRA Stack',
  displayName: '💊 CR Apply LoRA Stack',
  inputs: { model: model({ rawLink: true }), clip: clip({ rawLink: true }), lora_stack: stack() },
  outputs: [{ type: 'MODEL', name: 'MODEL' }, { type: 'CLIP', name: 'CLIP' }, help],
  run({ model, clip, lora_stack }, context) {
    const loras = (lora_stack ?? []).map(([name, model, clip]) => ({ name, model, clip }));
    const graph = context.newGraph();
    const [changed, encoder] = loadInto(graph, { model, clip }, loras);
    const page = `${PAGE}#cr-apply-lora-stack`;
    return { result: [changed, encoder, page], expand: graph.finalize() };
  },
});

export const loraStackNodes: readonly NodeDefinition[] = [stacker, crStack, crApply];
