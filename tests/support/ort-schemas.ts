/**
 * Whether a lowered model is one that ONNX Runtime takes, told from its documented operator schemas
 * (tests/fixtures/ort-schemas.json) without opening it: domains, operators, attributes and their types,
 * which inputs must be there, and which element types go in and come out.
 */
import { readFileSync } from 'node:fs';
import type { Attribute, OnnxModel, OnnxNode } from '../../engine/onnx/model.ts';
import { dtypes } from '../../engine/weights/dtypes.ts';
import { layoutDtype } from '../../engine/weights/layout.ts';

interface SchemaText {
  /** `X:T B?:T` or `inputs*:T`: names, whether they may be left out or repeated, and their types. */
  readonly inputs: string;
  readonly outputs: string;
  /** The kind of each attribute; `!` where it must be there. */
  readonly attributes: Readonly<Record<string, string>>;
  /** Which element types each type variable may stand for. */
  readonly types: Readonly<Record<string, string>>;
}

/** Element types by operator and type variable, for each domain. */
export type KernelTypes = Readonly<
  Record<string, Readonly<Record<string, Readonly<Record<string, string>>>>>
>;

const fixture = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../fixtures/${name}`, import.meta.url), 'utf8'));

const schemas = fixture('ort-schemas.json') as Readonly<
  Record<string, Readonly<Record<string, SchemaText>>>
>;

/**
 * The element types that the CUDA provider has kernels of (bool, whole numbers and reals that our models
 * hold). Asked of the provider itself, ONNX Runtime 1.29 for CUDA 13, by opening a model of one node for
 * each operator and type with `session.disable_cpu_ep_fallback`; it agrees with docs/OperatorKernels.md.
 */
export const cudaKernels = fixture('cuda-kernels.json') as KernelTypes;

interface Parameter {
  readonly name: string;
  readonly mark: string;
  readonly type: string;
}

const parameters = (text: string): Parameter[] =>
  text.split(' ').map((one) => {
    const [, name, mark, type] = /^(.+?)([?*]?):(\w+)$/.exec(one)!;
    return { name, mark, type };
  });

/** What is wrong with a model, one line each; with `kernels`, also what no kernel of theirs takes. */
export function schemaProblems(model: OnnxModel, kernels?: KernelTypes): string[] {
  const types = new Map<string, string>();
  for (const { name, dtype } of model.inputs) types.set(name, dtype);
  for (const weight of model.initializers) {
    const type = 'layout' in weight ? layoutDtype(weight.layout, weight.dtype) : weight.dtype;
    types.set(weight.name, type);
  }
  const problems = model.nodes.flatMap((node) =>
    nodeProblems(node, types, kernels).map(
      (problem) => `${node.name} (${node.domain || 'ai.onnx'}.${node.op}): ${problem}`,
    ),
  );
  const outputs = model.outputs.filter(({ name, dtype }) => types.get(name) !== dtype);
  return [...problems, ...outputs.map(({ name }) => `output ${name} is ${types.get(name)}`)];
}

/** Problems of one node; notes the types of its outputs. */
function nodeProblems(
  node: OnnxNode,
  types: Map<string, string>,
  kernels: KernelTypes | undefined,
): string[] {
  const schema = schemas[node.domain]?.[node.op];
  if (!schema) return ['the fixture has no such operator'];
  const bound = new Map<string, string>();
  const problems = [
    ...attributeProblems(node, schema),
    ...inputProblems(node, schema, types, bound),
  ];
  for (const [variable, type] of bound) {
    if (!(schema.types[variable] ?? type).split(' ').includes(type)) {
      problems.push(`${variable} cannot be ${type}`);
    }
    const taken = kernels?.[node.domain]?.[node.op]?.[variable];
    if (taken !== undefined && !taken.split(' ').includes(type)) {
      problems.push(`no kernel of ${variable} = ${type}`);
    }
  }
  if (kernels && !kernels[node.domain]?.[node.op]) problems.push('no kernel');
  const outputs = parameters(schema.outputs);
  if (node.outputs.length > outputs.length) problems.push('too many outputs');
  node.outputs.forEach((name, i) => {
    if (name === '') return;
    const { type } = outputs[Math.min(i, outputs.length - 1)];
    types.set(name, outputType(node, schema, bound.get(type) ?? type));
  });
  return problems;
}

function attributeProblems({ attributes }: OnnxNode, schema: SchemaText): string[] {
  const unknown = Object.keys(attributes).filter((name) => !schema.attributes[name]);
  const missing = Object.keys(schema.attributes).filter(
    (name) => schema.attributes[name].endsWith('!') && !attributes[name],
  );
  const wrong = Object.entries(attributes).filter(
    ([name, value]) => schema.attributes[name] && !isOfKind(schema.attributes[name], value),
  );
  return [
    ...unknown.map((name) => `no attribute ${name}`),
    ...missing.map((name) => `attribute ${name} is missing`),
    ...wrong.map(([name]) => `attribute ${name} is not of type ${schema.attributes[name]}`),
  ];
}

const isOfKind = (kind: string, value: Attribute): boolean => kind.replace('!', '') in value;

/** Checks the inputs and notes what each type variable stands for. */
function inputProblems(
  { inputs }: OnnxNode,
  schema: SchemaText,
  types: ReadonlyMap<string, string>,
  bound: Map<string, string>,
): string[] {
  const known = parameters(schema.inputs);
  const last = known[known.length - 1];
  const at = (i: number): Parameter | undefined =>
    known[i] ?? (last.mark === '*' ? last : undefined);
  const missing = known.filter(({ mark }, i) => mark === '' && (inputs[i] ?? '') === '');
  const problems = missing.map(({ name }) => `input ${name} is missing`);
  inputs.forEach((name, i) => {
    const parameter = at(i);
    if (!parameter) problems.push(`input ${i} is one too many`);
    if (!parameter || name === '') return;
    const type = types.get(name);
    const { type: expected } = parameter;
    const wanted = bound.get(expected) ?? (expected in schema.types ? type : expected);
    if (type === undefined) problems.push(`input ${name} comes from nowhere`);
    else if (type !== wanted) problems.push(`input ${parameter.name} is ${type}, not ${wanted}`);
    if (type !== undefined && expected in schema.types) bound.set(expected, wanted!);
  });
  return problems;
}

/** An output's type: its variable's, what `Cast` says, or the only one that its variable may stand for. */
function outputType({ attributes }: OnnxNode, schema: SchemaText, type: string): string {
  if ('to' in attributes && 'int' in attributes.to) {
    const code = attributes.to.int;
    return Object.keys(dtypes).find((name) => dtypes[name as keyof typeof dtypes].onnx === code)!;
  }
  return schema.types[type] ?? type;
}
