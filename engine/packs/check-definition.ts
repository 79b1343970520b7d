/** Node definitions from outside (packs in plain JavaScript), checked and completed. */
import type { InputSpec, NodeDefinition } from '../graph/definition.ts';

type Checked = { readonly definition: NodeDefinition } | { readonly problem: string };
type Fields = Record<string, unknown>;

/**
 * A definition with its defaults filled in, or what is wrong with it. All that the rest of the graph
 * code relies on without looking is checked here. Never throws.
 */
export function checkDefinition(value: unknown, defaultModule: string): Checked {
  if (!isRecord(value)) return { problem: `expected a node definition, got ${typeof value}` };
  try {
    const { name } = value;
    if (typeof name !== 'string' || name === '') return { problem: 'a node has no name' };
    const problem = problemOf(value);
    if (problem !== undefined) return { problem: `node ${name}: ${problem}` };
    return { definition: complete(value, defaultModule) };
  } catch (error) {
    // Getters and proxies may do anything.
    return { problem: `a node cannot be read: ${String(error)}` };
  }
}

function complete(value: Fields, defaultModule: string): NodeDefinition {
  const { inputs = {}, outputs = [], form = 'v1' } = value;
  return {
    category: 'sd',
    module: defaultModule,
    ...value,
    form,
    inputs: completeInputs(inputs as Fields),
    outputs,
  } as unknown as NodeDefinition;
}

const completeInputs = (inputs: Fields): Record<string, InputSpec> =>
  Object.fromEntries(
    Object.entries(inputs).map(([name, spec]) => {
      const { optional } = spec as Fields;
      return [name, { ...(spec as InputSpec), optional: optional === true }];
    }),
  );

function problemOf(value: Fields): string | undefined {
  const { run, form = 'v1', outputs = [], hidden = {}, validate } = value;
  if (typeof run !== 'function') return "expected a function 'run'";
  if (form !== 'v1' && form !== 'v3') return "form: expected 'v1' or 'v3'";
  for (const key of ['category', 'module', 'description', 'displayName', 'essentialsCategory']) {
    const text = value[key];
    if (text !== undefined && typeof text !== 'string' && !(text === null && key === 'displayName'))
      return `${key}: expected a text`;
  }
  const inputProblem = problemOfInputs(value.inputs ?? {});
  if (inputProblem !== undefined) return inputProblem;
  if (!Array.isArray(outputs)) return 'outputs: expected a list';
  for (const output of outputs) {
    if (!isRecord(output) || (typeof output.type !== 'string' && !Array.isArray(output.type))) {
      return 'outputs: expected objects with a type';
    }
  }
  if (!isRecord(hidden)) return 'hidden: expected an object';
  for (const hook of ['isChanged', 'checkLazy']) {
    if (value[hook] !== undefined && typeof value[hook] !== 'function') {
      return `${hook}: expected a function`;
    }
  }
  if (value.replaces !== undefined && !isReplacements(value.replaces)) {
    return 'replaces: expected a list of { oldNode, oldWidgets?, inputs?, outputs? }';
  }
  if (validate !== undefined && !isValidation(validate)) {
    return "validate: expected { inputs: [names] | 'all', check: function }";
  }
  return undefined;
}

/** Dynamic inputs may hold inputs that are dynamic again. */
function problemOfInputs(inputs: unknown, depth = 0): string | undefined {
  if (!isRecord(inputs)) return 'inputs: expected an object';
  if (depth > 20) return 'inputs: nested too deeply';
  for (const [name, spec] of Object.entries(inputs)) {
    const problem = problemOfInput(spec, depth);
    if (problem !== undefined) return `input ${name}: ${problem}`;
  }
  return undefined;
}

function problemOfInput(spec: unknown, depth: number): string | undefined {
  if (!isRecord(spec) || typeof spec.type !== 'string') return 'expected an object with a type';
  const { options, choices, dynamic } = spec;
  if (options !== undefined && !isRecord(options)) return 'options: expected an object';
  if (choices !== undefined && typeof choices !== 'function' && !Array.isArray(choices))
    return 'choices: expected a list or a function';
  if (dynamic === undefined) return undefined;
  if (!isRecord(dynamic)) return 'dynamic: expected an object';
  const nested = (inner: unknown): string | undefined => problemOfInputs(inner, depth + 1);
  const { template, choices: choice } = dynamic;
  switch (dynamic.kind) {
    case 'autogrow': {
      if (!Array.isArray(template) || typeof template[0] !== 'string' || !isNames(dynamic.names))
        return 'autogrow: expected a template [id, input] and names';
      const [id, inner] = template as [string, unknown];
      return nested({ [id]: inner });
    }
    case 'combo':
      if (!Array.isArray(choice) || !choice.every((each) => isRecord(each)))
        return 'dynamic combo: expected choices { key, inputs }';
      return choice.map(({ inputs }) => nested(inputs)).find((problem) => problem !== undefined);
    case 'slot':
      return typeof dynamic.slotType === 'string'
        ? nested(dynamic.inputs)
        : 'dynamic slot: expected a slotType';
    case 'group':
      return nested(template);
    default:
      return `dynamic: unknown kind ${String(dynamic.kind)}`;
  }
}

const isNames = (names: unknown): boolean =>
  Array.isArray(names) || (isRecord(names) && typeof names.prefix === 'string');

const isReplacements = (value: unknown): boolean =>
  Array.isArray(value) &&
  value.every(
    (each: unknown) =>
      isRecord(each) &&
      typeof each.oldNode === 'string' &&
      [each.oldWidgets, each.inputs, each.outputs].every(
        (list) => list === undefined || Array.isArray(list),
      ) &&
      [each.inputs, each.outputs].flat().every((map) => map === undefined || isRecord(map)),
  );

const isRecord = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isValidation = (value: unknown): boolean =>
  isRecord(value) &&
  typeof value.check === 'function' &&
  (value.inputs === 'all' || Array.isArray(value.inputs));
