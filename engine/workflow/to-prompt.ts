/**
 * An editor workflow as the API prompt that ComfyUI's front end would post: widgets by name, links
 * by node id, and nothing left of what only the editor knows. Pure; runs in a browser too.
 */
import { grownValues } from './grown-widgets.ts';
import type { Json } from './lossless-json.ts';
import { readWorkflow } from './read-graph.ts';
import { isVirtual, promptId, resolveInput } from './resolve.ts';
import { createScopes, storedValues } from './scope.ts';
import type { Scope, Scopes } from './scope.ts';
import { pickChoices, replaceTokens } from './text-replace.ts';
import { MODE_BYPASSED, MODE_MUTED } from './types.ts';
import type { ApiNode, ApiPrompt, GraphNode, NodeInfo, ObjectInfo } from './types.ts';
import { guessedValues, inputsInOrder, widgetValues } from './widgets.ts';

export interface ConvertOptions {
  /** Clock of the `%date:…%` tokens. */
  readonly now?: Date;
  /** Numbers in [0, 1) for `{a|b}` choices. */
  readonly random?: () => number;
  /** Leave choices and tokens in texts as they were written. */
  readonly keepTexts?: boolean;
}

export interface Converted {
  readonly prompt: ApiPrompt;
  /** What could only be guessed, in words for the user. */
  readonly warnings: readonly string[];
}

/** Nodes whose `filename_prefix` may hold `%…%` tokens. */
const SAVERS = new Set([
  'SaveImage',
  'SaveImageAdvanced',
  'SaveSVGNode',
  'SaveVideo',
  'SaveAnimatedWEBP',
  'SaveAnimatedPNG',
  'SaveWEBM',
  'SaveAudio',
  'SaveAudioMP3',
  'SaveAudioOpus',
  'SaveAudioAdvanced',
  'SaveGLB',
  'CLIPSave',
  'VAESave',
  'ModelSave',
  'LoraSave',
  'SaveLatent',
]);

interface Conversion extends Required<ConvertOptions> {
  readonly scopes: Scopes;
  readonly objectInfo: ObjectInfo;
  readonly prompt: ApiPrompt;
  readonly warnings: string[];
}

/** Converts a workflow of schema 0.4 or 1. Throws TypeError when it is no editor workflow. */
export function workflowToPrompt(
  workflow: unknown,
  objectInfo: ObjectInfo,
  { now = new Date(), random = Math.random, keepTexts = false }: ConvertOptions = {},
): Converted {
  const scopes = createScopes(readWorkflow(workflow), objectInfo);
  const conversion: Conversion = {
    scopes,
    objectInfo,
    // Ids and names come from a file: without a prototype `__proto__` is a key like any other.
    prompt: Object.create(null) as ApiPrompt,
    warnings: [],
    now,
    random,
    keepTexts,
  };
  convertScope(conversion, scopes.root);
  dropDeadLinks(conversion.prompt);
  return { prompt: { ...conversion.prompt }, warnings: conversion.warnings };
}

function convertScope(conversion: Conversion, scope: Scope): void {
  for (const node of scope.graph.nodes.values()) {
    if (node.mode === MODE_MUTED || node.mode === MODE_BYPASSED || isVirtual(node)) continue;
    const subgraph = conversion.scopes.subgraphOf(node);
    if (subgraph !== undefined) {
      convertScope(conversion, conversion.scopes.enter(scope, node, subgraph));
    } else if (!isDecoration(conversion, node)) {
      conversion.prompt[promptId(scope, node)] = convertNode(conversion, scope, node);
    }
  }
}

function convertNode(conversion: Conversion, scope: Scope, node: GraphNode): ApiNode {
  const info = infoOf(conversion, node);
  const values = ownValues(conversion, scope, node, info);
  const inputs: Record<string, Json> = Object.create(null) as Record<string, Json>;
  const spec = new Map(info && inputsInOrder(info));
  const set = (name: string, value: Json): void => {
    const sent = finishText(conversion, scope, node, name, value, spec.get(name)?.[1]);
    inputs[name] = Array.isArray(sent) ? { __value__: sent } : sent;
  };
  for (const [name, value] of values) set(name, value);
  for (const slot of node.inputs) {
    const source = resolveInput(conversion.scopes, scope, node, slot);
    if (source === undefined) continue;
    if (source.kind === 'link') inputs[slot.name] = [source.id, source.slot];
    // A plain value needs a widget to live in.
    else if (slot.widget !== undefined || values.has(slot.name)) set(slot.name, source.value);
  }
  const title = node.title ?? info?.display_name ?? node.type;
  return { inputs: { ...inputs }, class_type: node.type, _meta: { title } };
}

/** The node's widget values, those of an enclosing subgraph instance over its own. */
function ownValues(
  conversion: Conversion,
  scope: Scope,
  node: GraphNode,
  info: NodeInfo | undefined,
): Map<string, Json> {
  const id = promptId(scope, node);
  let values: Map<string, Json>;
  if (info === undefined) {
    values = guessedValues({ ...node, values: storedValues(scope, node) });
    conversion.warnings.push(
      `node ${id} (${node.type}): unknown class, its inputs are taken from the file as they are`,
    );
  } else {
    const read = widgetValues(info, storedValues(scope, node));
    values = read.values;
    if (read.mismatch) {
      conversion.warnings.push(
        `node ${id} (${node.type}): the stored values do not fit this version of the class; check its inputs`,
      );
    }
  }
  for (const [name, value] of grownValues(node.type, storedValues(scope, node))) {
    values.set(name, value);
  }
  for (const [name, value] of scope.innerValues.get(node.id) ?? []) {
    if (values.has(name)) values.set(name, value);
  }
  return values;
}

/** Choices and tokens in a text are settled when it is sent. */
function finishText(
  conversion: Conversion,
  scope: Scope,
  node: GraphNode,
  name: string,
  value: Json,
  options: Readonly<Record<string, unknown>> | undefined,
): Json {
  if (typeof value !== 'string' || conversion.keepTexts) return value;
  if (options?.dynamicPrompts === true) return pickChoices(value, conversion.random);
  if (name !== 'filename_prefix' || !SAVERS.has(node.type)) return value;
  return replaceTokens(value, conversion.now, (wanted, widget) => {
    const nodes = [...scope.graph.nodes.values()];
    const found =
      nodes.find((other) => other.properties['Node name for S&R'] === wanted) ??
      nodes.find((other) => (other.title ?? infoOf(conversion, other)?.display_name) === wanted);
    const info = found && infoOf(conversion, found);
    return info && widgetValues(info, storedValues(scope, found)).values.get(widget);
  });
}

/** Notes and panels of packs: unknown, and linked to nothing. The server would refuse them. */
function isDecoration(conversion: Conversion, node: GraphNode): boolean {
  if (infoOf(conversion, node) !== undefined) return false;
  return node.outputs.length === 0 && node.inputs.every(({ link }) => link === undefined);
}

function infoOf({ objectInfo }: Conversion, node: GraphNode): NodeInfo | undefined {
  return Object.hasOwn(objectInfo, node.type) ? objectInfo[node.type] : undefined;
}

/** Inputs that come from muted nodes are not sent. */
function dropDeadLinks(prompt: ApiPrompt): void {
  for (const { inputs } of Object.values(prompt)) {
    for (const [name, value] of Object.entries(inputs)) {
      if (!Array.isArray(value) || value.length !== 2) continue;
      const [id] = value;
      if (typeof id === 'string' && !Object.hasOwn(prompt, id)) delete inputs[name];
    }
  }
}
