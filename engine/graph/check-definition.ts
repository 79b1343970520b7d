/** Node definitions from outside (packs in plain JavaScript), checked and completed. */
import type { InputSpec, NodeDefinition } from './definition.ts';

type Checked = { readonly definition: NodeDefinition } | { readonly problem: string };

/** A definition with its defaults filled in, or what is wrong with it. */
export function checkDefinition(value: unknown, defaultModule: string): Checked {
  if (!isRecord(value)) return { problem: `expected a node definition, got ${typeof value}` };
  const { name, run, inputs = {}, outputs = [], form = 'v1' } = value;
  if (typeof name !== 'string' || name === '') return { problem: 'a node has no name' };
  const wrong = (what: string): Checked => ({ problem: `node ${name}: ${what}` });

  if (typeof run !== 'function') return wrong("expected a function 'run'");
  if (form !== 'v1' && form !== 'v3') return wrong("form: expected 'v1' or 'v3'");
  if (!isRecord(inputs)) return wrong('inputs: expected an object');
  const specs: [string, InputSpec][] = [];
  for (const [input, spec] of Object.entries(inputs)) {
    if (!isRecord(spec) || typeof spec.type !== 'string') {
      return wrong(`input ${input}: expected an object with a type`);
    }
    specs.push([input, { ...spec, optional: spec.optional === true } as InputSpec]);
  }
  if (!Array.isArray(outputs)) return wrong('outputs: expected a list');
  for (const output of outputs) {
    if (!isRecord(output) || (typeof output.type !== 'string' && !Array.isArray(output.type))) {
      return wrong('outputs: expected objects with a type');
    }
  }
  for (const hook of ['isChanged', 'checkLazy'] as const) {
    if (value[hook] !== undefined && typeof value[hook] !== 'function') {
      return wrong(`${hook}: expected a function`);
    }
  }
  if (value.validate !== undefined && !isValidation(value.validate)) {
    return wrong("validate: expected { inputs: [names] | 'all', check: function }");
  }
  const definition = {
    category: 'sd',
    module: defaultModule,
    ...value,
    name,
    form,
    inputs: Object.fromEntries(specs),
    outputs,
  } as unknown as NodeDefinition;
  return { definition };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isValidation = (value: unknown): boolean =>
  isRecord(value) &&
  typeof value.check === 'function' &&
  (value.inputs === 'all' || Array.isArray(value.inputs));
