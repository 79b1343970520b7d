/** A workflow's form: the author's choice where there is one, else what the rules find. */
import type { Json } from '../lossless-json.ts';
import { isApiFormat } from '../forms.ts';
import { readWorkflow } from '../read-graph.ts';
import { workflowToPrompt } from '../to-prompt.ts';
import type { ApiPrompt, InputInfo, NodeInfo, ObjectInfo, Workflow } from '../types.ts';
import { inputsInOrder } from '../widgets.ts';
import { choicesOf, fieldKind, isPlainValue } from './field-kind.ts';
import {
  CATEGORIES,
  type Category,
  type Draft,
  type Form,
  type FormField,
  type FormOutput,
} from './form.ts';
import { nameFields } from './names.ts';
import { linkOf, promptRoles } from './prompt-roles.ts';
import { inputLabel, ROLE_LABELS, ruleFor, sliderRange } from './rules.ts';
import { type AppEntry, type FormSettings, numberOf, readSettings } from './settings.ts';
import { PRIMITIVE_CLASSES, primitivesBehind } from './shared-values.ts';

/**
 * The form of an editor workflow (schema 0.4 or 1) or of a prompt in the API format. Choices come
 * from `objectInfo`, so they are as fresh as that. Throws TypeError when it is neither.
 */
export function makeForm(file: unknown, objectInfo: ObjectInfo): Form {
  const isPrompt = isApiFormat(file);
  const workflow = isPrompt ? NO_GRAPH : readWorkflow(file);
  const { prompt, warnings } = isPrompt
    ? { prompt: file, warnings: [] }
    : workflowToPrompt(file, objectInfo, { keepTexts: true });
  const settings = readSettings(file);
  const drafts = draftFields(prompt, workflow, objectInfo);
  const resolve = keyResolver(drafts, workflow);
  const chosen = settings.inputs?.flatMap((entry) => {
    const key = resolve(entry);
    return key === undefined ? [] : [{ key, entry }];
  });
  const lost = settings.inputs?.filter((entry) => resolve(entry) === undefined) ?? [];
  return {
    title: settings.title ?? '',
    description: settings.description ?? '',
    source: chosen === undefined ? 'rules' : 'app',
    fields: nameFields(arrange(drafts, chosen, settings)),
    outputs: formOutputs(prompt, objectInfo, settings),
    warnings: [
      ...warnings,
      ...lost.map(
        ({ id, widget }) => `the form asks for ${widget} of node ${id}, which is not there`,
      ),
    ],
  };
}

/** A prompt knows nothing of what only the editor has. */
const NO_GRAPH: Workflow = { nodes: new Map(), links: new Map(), subgraphs: new Map(), groups: {} };

/** All inputs that hold a plain value, in the rules' order. */
export function draftFields(
  prompt: ApiPrompt,
  workflow: Workflow,
  objectInfo: ObjectInfo,
): readonly Draft[] {
  const roles = promptRoles(prompt);
  const primitives = primitivesBehind(workflow);
  const drafts = new Map<string, Draft>();
  for (const [id, node] of Object.entries(prompt)) {
    const info = Object.hasOwn(objectInfo, node.class_type)
      ? objectInfo[node.class_type]
      : undefined;
    // A primitive node says nothing of itself: whatever reads it does.
    if (info === undefined || PRIMITIVE_CLASSES.has(node.class_type)) continue;
    for (const [input, spec] of inputsInOrder(info)) {
      const place = valuePlace(prompt, id, input);
      if (place === undefined || !isPlainValue(place.value)) continue;
      const primitive = primitives.get(`${id}.${input}`);
      const key = `${place.id}.${place.input}`;
      const id_ = primitive === undefined ? key : `primitive ${primitive.id}`;
      const known = drafts.get(id_);
      if (known !== undefined) {
        const targets = place.id === id ? [...known.targets, key] : known.targets;
        drafts.set(id_, { ...known, targets });
        continue;
      }
      const title = primitive?.title ?? titleOf(prompt, objectInfo, place.id);
      const isPrimitive = primitive !== undefined || place.id !== id;
      const parts = { prompt, objectInfo, id, input, spec, place, title, isPrimitive, roles };
      const draft = draftField(parts);
      if (draft !== undefined) drafts.set(id_, draft);
    }
  }
  return [...drafts.values()].sort(byCategory);
}

interface Place {
  readonly id: string;
  readonly input: string;
  readonly value: Json | undefined;
}

/** Where an input's value stands: in the node, or in a primitive it is linked to. */
function valuePlace(prompt: ApiPrompt, id: string, input: string): Place | undefined {
  const value = prompt[id].inputs[input] as Json | undefined;
  const link = linkOf(prompt, value);
  if (link === undefined) return { id, input, value };
  const [source] = link;
  if (!PRIMITIVE_CLASSES.has(prompt[source].class_type)) return undefined;
  return { id: source, input: 'value', value: prompt[source].inputs.value };
}

interface DraftParts {
  readonly prompt: ApiPrompt;
  readonly objectInfo: ObjectInfo;
  readonly id: string;
  readonly input: string;
  readonly spec: InputInfo;
  readonly place: Place;
  /** The title somebody gave to the node, if it is not the class's own. */
  readonly title: string | undefined;
  /** The value is that of a node which is nothing else. */
  readonly isPrimitive: boolean;
  readonly roles: ReturnType<typeof promptRoles>;
}

function draftField(parts: DraftParts): Draft | undefined {
  const { prompt, objectInfo, id, input, spec, place, title, roles } = parts;
  const type = prompt[id].class_type;
  const kind = fieldKind(type, input, spec);
  if (kind === undefined) return undefined;
  const rule = ruleFor(type, input);
  const category = categoryOf(kind, rule?.category, objectInfo[type], spec);
  const role = category === 'prompt' ? (roles.get(id) ?? null) : (rule?.role ?? null);
  const options = spec[1] ?? {};
  const own = place.id === id ? options : ownOptions(prompt, objectInfo, place);
  const isNamed = category === 'prompt' || category === 'media' || parts.isPrimitive;
  const isTitled = title !== undefined && isNamed;
  return {
    key: `${place.id}.${place.input}`,
    node_id: place.id,
    input: place.input,
    label: isTitled ? title : labelOf(role, input),
    help: helpOf(category, options.tooltip),
    kind,
    role,
    category,
    section: category === 'advanced' ? (title ?? objectInfo[type].display_name ?? type) : '',
    default: place.value ?? null,
    min: numberOf(options.min) ?? numberOf(own.min) ?? null,
    max: numberOf(options.max) ?? numberOf(own.max) ?? null,
    step: numberOf(options.step) ?? null,
    slider:
      kind === 'int' || kind === 'float'
        ? (sliderRange(role ?? undefined, type, input) ?? null)
        : null,
    options: choicesOf(spec) ?? null,
    advanced: category === 'advanced',
    masked: kind === 'image' && usesMask(prompt, place.id),
    targets: [`${place.id}.${place.input}`],
    titled: isTitled,
  };
}

/** What the node says of an input; of a prompt, a file or a model the label says enough. */
const helpOf = (category: Category, tooltip: unknown): string =>
  typeof tooltip === 'string' && (category === 'sampler' || category === 'advanced') ? tooltip : '';

const labelOf = (role: FormField['role'], input: string): string =>
  role === null ? inputLabel(input) : ROLE_LABELS[role];

function categoryOf(
  kind: FormField['kind'],
  ruled: Category | undefined,
  info: NodeInfo,
  [, options]: InputInfo,
): Category {
  if (['image', 'mask', 'video', 'audio'].includes(kind)) return 'media';
  if (ruled !== undefined) return ruled;
  const encodes = info.output?.includes('CONDITIONING') === true;
  return encodes && options?.multiline === true ? 'prompt' : 'advanced';
}

function ownOptions(
  prompt: ApiPrompt,
  objectInfo: ObjectInfo,
  { id, input }: Place,
): Readonly<Record<string, unknown>> {
  const info = objectInfo[prompt[id].class_type] as NodeInfo | undefined;
  return info?.input?.required?.[input]?.[1] ?? {};
}

/** Whether anything takes the second output of a picture's loader. */
const usesMask = (prompt: ApiPrompt, id: string): boolean =>
  Object.values(prompt).some(({ inputs }) =>
    Object.values(inputs).some((value) => {
      const link = linkOf(prompt, value);
      return link !== undefined && link[0] === id && link[1] === 1;
    }),
  );

/** A title that is not the class's own name. */
function titleOf(prompt: ApiPrompt, objectInfo: ObjectInfo, id: string): string | undefined {
  const { class_type: type, _meta: meta } = prompt[id];
  const title = meta?.title;
  const own = Object.hasOwn(objectInfo, type) ? objectInfo[type].display_name : undefined;
  return title === undefined || title === '' || title === type || title === own ? undefined : title;
}

/** Categories in their order, then nodes by number, then inputs as the node has them. */
function byCategory(a: Draft, b: Draft): number {
  return (
    CATEGORIES.indexOf(a.category) - CATEGORIES.indexOf(b.category) ||
    polarityRank(a) - polarityRank(b) ||
    a.node_id.localeCompare(b.node_id, 'en', { numeric: true })
  );
}

const polarityRank = ({ role }: Draft): number => (role === 'negative' ? 1 : 0);

/** Fields in the order of the form, with what their author says of them. */
function arrange(
  drafts: readonly Draft[],
  chosen: readonly { readonly key: string; readonly entry: AppEntry }[] | undefined,
  settings: FormSettings,
): readonly (Draft & { readonly hidden: boolean })[] {
  const dressed = (draft: Draft, help?: Json): Draft => {
    const { label, section, min, max, step, help: own } = settings.fields.get(draft.key) ?? {};
    const range = { min: min ?? draft.min, max: max ?? draft.max, step: step ?? draft.step };
    const isLimited = min !== undefined && max !== undefined;
    const slider = isLimited ? { min, max, step: step ?? draft.slider?.step ?? 1 } : draft.slider;
    return {
      ...draft,
      ...range,
      slider,
      label: label ?? draft.label,
      titled: draft.titled || label !== undefined,
      section: section ?? draft.section,
      help: typeof help === 'string' ? help : (own ?? draft.help),
    };
  };
  if (chosen === undefined) return drafts.map((draft) => ({ ...dressed(draft), hidden: false }));
  const keys = new Set(chosen.map(({ key }) => key));
  const byKey = new Map(drafts.map((draft) => [draft.key, draft]));
  const first = chosen
    .filter(({ key }, i) => chosen.findIndex((other) => other.key === key) === i)
    .map(({ key, entry }) => {
      const draft = dressed(byKey.get(key)!, entry.config.description);
      const section = settings.fields.get(key)?.section ?? '';
      return { ...draft, section, advanced: false, hidden: false };
    });
  const rest = drafts.filter(({ key }) => !keys.has(key));
  return [...first, ...rest.map((draft) => ({ ...draft, advanced: true, hidden: true }))];
}

/**
 * The key that an entry of linearData stands for. Its node may be named by its id, by the way to it
 * (`12:5`), by its subgraph (`<definition>:5`), or, inside a subgraph, by its inner id alone.
 */
export function keyResolver(
  drafts: readonly Pick<Draft, 'key' | 'targets'>[],
  workflow: Workflow,
): (entry: AppEntry) => string | undefined {
  const keys = new Map<string, string>();
  for (const { key, targets } of drafts)
    for (const target of [key, ...targets]) keys.set(target, key);
  return ({ id, widget }) => {
    const direct = keys.get(`${id}.${widget}`);
    if (direct !== undefined) return direct;
    const inner = id.slice(id.lastIndexOf(':') + 1);
    const definition = id.includes(':') ? id.slice(0, id.lastIndexOf(':')) : undefined;
    if (definition === undefined && workflow.nodes.has(id)) return undefined;
    if (definition !== undefined && !workflow.subgraphs.has(definition)) return undefined;
    const ending = `:${inner}.${widget}`;
    return [...keys].find(([key]) => key.endsWith(ending))?.[1];
  };
}

function formOutputs(
  prompt: ApiPrompt,
  objectInfo: ObjectInfo,
  { outputs }: FormSettings,
): readonly FormOutput[] {
  const isOutput = (type: string): boolean =>
    Object.hasOwn(objectInfo, type) && objectInfo[type].output_node === true;
  return Object.entries(prompt)
    .filter(([, { class_type: type }]) => isOutput(type))
    .map(([id, { class_type: type, _meta: meta }]) => ({
      node_id: id,
      title: meta?.title ?? type,
      class_type: type,
      shown: outputs === undefined || outputs.includes(id),
    }));
}
