/**
 * ComfyUI's inputs that stand for several inputs (Autogrow, DynamicCombo, DynamicSlot,
 * DynamicGroup), in one place: which inputs a node has, given the keys a prompt holds for it, and
 * how their values are put back together for the node.
 */
import type { DynamicSpec, InputSpec, NodeDefinition } from './definition.ts';

type Inputs = Readonly<Record<string, InputSpec>>;

const MAX_AUTOGROW = 100;
const MAX_GROUP_ROWS = 20;

/** What is wrong with the dynamic inputs of a node: `[input id, text]`. */
export type DynamicProblem = readonly [input: string, problem: string];

const plain = new WeakMap<NodeDefinition, boolean>();

/** Whether a definition has dynamic inputs at all (nearly none has). */
export function hasDynamicInputs(definition: NodeDefinition): boolean {
  let known = plain.get(definition);
  if (known === undefined) {
    known = Object.values(definition.inputs).every((spec) => spec.dynamic === undefined);
    plain.set(definition, known);
  }
  return !known;
}

/**
 * The declared inputs of a node with dynamic ones replaced by what the prompt's keys ask for, under
 * their dotted names. `problems` receives keys beyond a maximum.
 */
export function effectiveInputs(
  definition: NodeDefinition,
  given: Readonly<Record<string, unknown>>,
  problems: DynamicProblem[] = [],
): Inputs {
  if (!hasDynamicInputs(definition)) return definition.inputs;
  const flat: Record<string, InputSpec> = {};
  for (const [id, spec] of Object.entries(definition.inputs))
    flatten(id, spec, given, flat, problems);
  return flat;
}

function flatten(
  path: string,
  spec: InputSpec,
  given: Readonly<Record<string, unknown>>,
  flat: Record<string, InputSpec>,
  problems: DynamicProblem[],
): void {
  const dynamic = spec.dynamic;
  if (dynamic === undefined) {
    flat[path] = spec;
    return;
  }
  const nested = (name: string, inner: InputSpec): void =>
    flatten(`${path}.${name}`, inner, given, flat, problems);
  switch (dynamic.kind) {
    case 'autogrow':
      autogrowNames(path, dynamic, given, problems).forEach((name, i) => {
        const required = i < dynamic.min && !dynamic.template[1].optional;
        nested(name, { ...dynamic.template[1], optional: !required });
      });
      return;
    case 'combo': {
      flat[path] = {
        type: 'COMBO',
        choices: dynamic.choices.map((choice) => choice.key),
        optional: spec.optional,
        // An unknown key adds no inputs and is no error, so the list is not enforced.
        options: { remote_combo: true },
      };
      const chosen = dynamic.choices.find((choice) => choice.key === given[path]);
      for (const [name, inner] of Object.entries(chosen?.inputs ?? {})) nested(name, inner);
      return;
    }
    case 'slot':
      flat[path] = { type: dynamic.slotType, optional: spec.optional };
      if (!(path in given)) return;
      for (const [name, inner] of Object.entries(dynamic.inputs)) nested(name, inner);
      return;
    case 'group': {
      const limit = Math.min(dynamic.max, MAX_GROUP_ROWS);
      const rows = groupRows(path, dynamic.min, given);
      if (rows > limit) problems.push([path, `${rows} rows, at most ${limit} are allowed`]);
      for (let row = 0; row < Math.min(rows, limit); row++) {
        for (const [name, inner] of Object.entries(dynamic.template))
          nested(`${row}.${name}`, inner);
      }
    }
  }
}

/** The names an autogrow input has now: the required ones, and all given ones in order. */
function autogrowNames(
  path: string,
  dynamic: DynamicSpec & { kind: 'autogrow' },
  given: Readonly<Record<string, unknown>>,
  problems: DynamicProblem[],
): string[] {
  const { names, min } = dynamic;
  if ('prefix' in names) {
    const limit = Math.min(names.max, MAX_AUTOGROW);
    const start = `${path}.${names.prefix}`;
    let last = min - 1;
    for (const key of Object.keys(given)) {
      const digits = key.startsWith(start) ? key.slice(start.length) : '';
      const index = /^(?:0|[1-9]\d{0,8})(?=$|\.)/.exec(digits);
      if (index === null) continue;
      if (Number(index[0]) >= limit) problems.push([path, `${key}: at most ${limit} are allowed`]);
      else last = Math.max(last, Number(index[0]));
    }
    return Array.from({ length: last + 1 }, (_, i) => `${names.prefix}${i}`);
  }
  return names.slice(0, MAX_AUTOGROW);
}

function groupRows(path: string, min: number, given: Readonly<Record<string, unknown>>): number {
  let rows = min;
  for (const key of Object.keys(given)) {
    if (!key.startsWith(`${path}.`)) continue;
    const row = /^(?:0|[1-9]\d{0,8})(?=\.)/.exec(key.slice(path.length + 1));
    if (row !== null) rows = Math.max(rows, Number(row[0]) + 1);
  }
  return rows;
}

/** Flat values by dotted name -> what `run` receives: nested objects, and lists of rows. */
export function nestInputs(
  definition: NodeDefinition,
  values: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  if (!hasDynamicInputs(definition)) return values;
  const nested: Record<string, unknown> = {};
  const taken = new Set<string>();
  for (const [id, spec] of Object.entries(definition.inputs)) {
    const value = nest(id, spec, values, taken);
    if (value !== undefined) nested[id] = value;
  }
  for (const [name, value] of Object.entries(values)) if (!taken.has(name)) nested[name] = value;
  return nested;
}

function nest(
  path: string,
  spec: InputSpec,
  values: Readonly<Record<string, unknown>>,
  taken: Set<string>,
): unknown {
  const dynamic = spec.dynamic;
  if (dynamic === undefined) {
    taken.add(path);
    return values[path];
  }
  const collect = (inputs: Inputs, into: Record<string, unknown>, base: string): typeof into => {
    for (const [name, inner] of Object.entries(inputs)) {
      const value = nest(`${base}.${name}`, inner, values, taken);
      if (value !== undefined) into[name] = value;
    }
    return into;
  };
  const id = path.slice(path.lastIndexOf('.') + 1);
  switch (dynamic.kind) {
    case 'autogrow': {
      const names = autogrowNames(path, dynamic, values, []);
      const template = dynamic.template[1];
      return collect(Object.fromEntries(names.map((name) => [name, template])), {}, path);
    }
    case 'combo': {
      taken.add(path);
      const chosen = dynamic.choices.find((choice) => choice.key === values[path]);
      return collect(chosen?.inputs ?? {}, { [id]: values[path] }, path);
    }
    case 'slot':
      taken.add(path);
      if (!(path in values)) return undefined;
      return collect(dynamic.inputs, { [id]: values[path] }, path);
    case 'group': {
      const rows = Math.min(groupRows(path, dynamic.min, values), dynamic.max, MAX_GROUP_ROWS);
      return Array.from({ length: rows }, (_, row) =>
        collect(dynamic.template, {}, `${path}.${row}`),
      );
    }
  }
}
