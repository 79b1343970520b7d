/** A prompt checked before it is queued: which outputs can run, and what is wrong with the others. */
import type { PromptError } from './check-value.ts';
import { corePlace } from './core-classes.ts';
import type { ChoiceSource, NodeDefinition, NodeRegistry, Prompt } from './definition.ts';
import { keysOf, objectOf } from '../workflow/lossless-json.ts';
import { messageOf, pythonTypeOf, tracebackOf } from '../python/error.ts';
import { pythonStr } from '../python/repr.ts';
import { validateNode } from './validate-node.ts';
import type { Step, Verdict } from './validate-node.ts';

export type { PromptError } from './check-value.ts';

/** Errors of one node as `/prompt` answers them. */
export interface NodeErrors {
  readonly errors: readonly PromptError[];
  readonly dependent_outputs: string[];
  readonly class_type: string;
}

export type Validation =
  | {
      readonly ok: true;
      /** Ids of the output nodes that can run, in prompt order. */
      readonly outputs: readonly string[];
      /** What is wrong with other nodes (partial success). */
      readonly nodeErrors: Readonly<Record<string, NodeErrors>>;
    }
  | {
      readonly ok: false;
      readonly error: PromptError;
      readonly nodeErrors: Readonly<Record<string, NodeErrors>>;
    };

export interface ValidateOptions {
  readonly nodes: NodeRegistry;
  readonly source: ChoiceSource;
  /** Only these output nodes count as outputs (`partial_execution_targets`). */
  readonly partialTargets?: readonly string[] | null;
}

/**
 * Checks a prompt as ComfyUI does. Converted constants are written back into `prompt`. Throws
 * TypeError when a node is not an object; every other fault is part of the answer.
 */
export async function validatePrompt(
  prompt: Prompt,
  { nodes, source, partialTargets }: ValidateOptions,
): Promise<Validation> {
  const definitions = new Map<string, NodeDefinition>();
  const targets = partialTargets == null ? undefined : new Set(partialTargets);
  const outputs: string[] = [];
  for (const id of keysOf(prompt)) {
    const known = definitionOf(prompt, id, nodes);
    if ('error' in known) return { ok: false, error: known.error, nodeErrors: {} };
    definitions.set(id, known.definition);
    if (known.definition.outputNode === true && (targets?.has(id) ?? true)) outputs.push(id);
  }
  if (outputs.length === 0) return { ok: false, error: NO_OUTPUTS, nodeErrors: {} };

  const verdicts = createVerdicts();
  const good: string[] = [];
  const blamed = new Map<string, NodeErrors>();
  const ownErrors: string[] = [];
  for (const output of outputs) {
    const verdict = await validateUpwards(prompt, output, { definitions, source, verdicts });
    if (verdict.valid) {
      good.push(output);
      continue;
    }
    ownErrors.push(...verdict.errors.map(({ message, details }) => `${message}: ${details}`));
    blame(output, prompt, verdicts, blamed);
  }
  const nodeErrors = objectOf(blamed);
  if (good.length > 0) return { ok: true, outputs: good, nodeErrors };
  const error = { ...OUTPUTS_FAILED, details: ownErrors.join('\n') };
  return { ok: false, error, nodeErrors };
}

const NO_OUTPUTS: PromptError = {
  type: 'prompt_no_outputs',
  message: 'Prompt has no outputs',
  details: '',
  extra_info: {},
};

const OUTPUTS_FAILED: PromptError = {
  type: 'prompt_outputs_failed_validation',
  message: 'Prompt outputs failed validation',
  details: '',
  extra_info: {},
};

function definitionOf(
  prompt: Prompt,
  id: string,
  nodes: NodeRegistry,
): { definition: NodeDefinition } | { error: PromptError } {
  const node: unknown = prompt[id];
  if (typeof node !== 'object' || node === null || Array.isArray(node)) {
    throw new TypeError(`node ${id} of the prompt: expected an object`);
  }
  const classType: unknown = 'class_type' in node ? node.class_type : undefined;
  const definition = typeof classType === 'string' ? nodes.get(classType) : undefined;
  if (definition !== undefined) return { definition };

  const meta: unknown = '_meta' in node ? node._meta : undefined;
  const title: unknown =
    typeof meta === 'object' && meta !== null && 'title' in meta ? meta.title : null;
  const missing = classType === undefined;
  return {
    error: {
      type: 'missing_node_type',
      message: missing
        ? `Node '${pythonStr(title ?? `ID #${id}`)}' has no class_type. ` +
          'The workflow may be corrupted or a custom node is missing.'
        : notFound(classType, title),
      details: `Node ID '#${id}'`,
      extra_info: { node_id: id, class_type: missing ? null : classType, node_title: title },
    },
  };
}

function notFound(classType: unknown, title: unknown): string {
  const named = pythonStr(title ?? classType);
  if (typeof classType !== 'string' || !corePlace.has(classType)) {
    return `Node '${named}' not found. The custom node may not be installed.`;
  }
  const what = named === classType ? '' : `${classType}, `;
  return `Node '${named}' not found: ${what}a core node of ComfyUI, is not part of Noodle yet.`;
}

interface Walk {
  readonly definitions: ReadonlyMap<string, NodeDefinition>;
  readonly source: ChoiceSource;
  /** Shared by all outputs of a prompt. */
  readonly verdicts: Verdicts;
}

interface Verdicts {
  get(id: string): Verdict | undefined;
  set(id: string, verdict: Verdict): void;
  /** Verdicts with errors of their own, oldest first. */
  readonly bad: ReadonlyMap<string, Verdict>;
}

function createVerdicts(): Verdicts {
  const all = new Map<string, Verdict>();
  const bad = new Map<string, Verdict>();
  return {
    get: (id) => all.get(id),
    set(id, verdict) {
      all.set(id, verdict);
      if (!verdict.valid && verdict.errors.length > 0) bad.set(id, verdict);
    },
    bad,
  };
}

/** Validates an output and all upstream of it, depth first, with an explicit stack. */
async function validateUpwards(
  prompt: Prompt,
  output: string,
  { definitions, source, verdicts }: Walk,
): Promise<Verdict> {
  const context = {
    prompt,
    source,
    definitionOf: (id: string) => definitions.get(id) as NodeDefinition,
    setVerdict: (id: string, verdict: Verdict) => verdicts.set(id, verdict),
  };
  const stack: { id: string; steps: Generator<Step, Verdict, unknown> }[] = [];
  const onStack = new Set<string>();
  let reply: { value: unknown } | { error: unknown } = { value: undefined };

  const enter = (id: string): void => {
    const known = verdicts.get(id);
    if (known !== undefined) reply = { value: known };
    else if (onStack.has(id)) reply = { value: markCycle(id) };
    else {
      stack.push({ id, steps: validateNode(context, id) });
      onStack.add(id);
      reply = { value: undefined };
    }
  };

  const markCycle = (id: string): Verdict => {
    const ids = stack.slice(stack.findIndex((frame) => frame.id === id)).map((frame) => frame.id);
    const path = [...ids, id].map((node) => `${node} (${prompt[node].class_type})`).join(' -> ');
    for (const node of ids) verdicts.set(node, cycleVerdict(node, ids, path));
    return verdicts.get(id) as Verdict;
  };

  enter(output);
  while (stack.length > 0) {
    const { id, steps } = stack[stack.length - 1];
    try {
      const step: IteratorResult<Step, Verdict> =
        'error' in reply ? steps.throw(reply.error) : steps.next(reply.value);
      if (step.done !== true) {
        if (step.value.kind === 'upstream') enter(step.value.nodeId);
        else reply = await settled(step.value.answer);
        continue;
      }
      // A cycle through this node was found meanwhile: that verdict stands.
      const verdict = verdicts.get(id) ?? step.value;
      verdicts.set(id, verdict);
      reply = { value: verdict };
    } catch (error) {
      reply = { error };
    }
    stack.pop();
    onStack.delete(id);
  }
  if (!('error' in reply)) return reply.value as Verdict;
  const verdict = { valid: false, errors: [validationException(reply.error)] };
  verdicts.set(output, verdict);
  return verdict;
}

const settled = (answer: Promise<unknown>): Promise<{ value: unknown } | { error: unknown }> =>
  answer.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );

const cycleVerdict = (id: string, ids: readonly string[], path: string): Verdict => ({
  valid: false,
  errors: [
    {
      type: 'dependency_cycle',
      message: 'Dependency cycle detected',
      details: path,
      extra_info: { node_id: id, cycle_nodes: ids },
    },
  ],
});

const validationException = (error: unknown): PromptError => ({
  type: 'exception_during_validation',
  message: 'Exception when validating node',
  details: messageOf(error),
  extra_info: { exception_type: pythonTypeOf(error), traceback: tracebackOf(error) },
});

/**
 * Reports every node with errors of its own. As in ComfyUI, a failing output is listed with all bad
 * nodes known so far, whether or not it depends on them.
 */
function blame(
  output: string,
  prompt: Prompt,
  verdicts: Verdicts,
  blamed: Map<string, NodeErrors>,
): void {
  for (const [id, { errors }] of verdicts.bad) {
    const entry = blamed.get(id) ?? {
      errors,
      dependent_outputs: [],
      class_type: prompt[id].class_type,
    };
    entry.dependent_outputs.push(output);
    blamed.set(id, entry);
  }
}
