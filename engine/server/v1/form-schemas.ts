/** The shapes of saved workflows and their forms in the public API; see schemas.ts. */
import { Type } from 'typebox';
import { CATEGORIES, type FieldKind, type FieldRole } from '../../workflow/form/form.ts';
import { free, nullable, text, words } from './schema-parts.ts';
import { Job, ProblemPart, RunRequest, RunResult } from './schemas.ts';

const number = (description: string) => nullable(Type.Number({ description }));

const summary = {
  id: text('Path below the workflows folder without `.json`; in addresses `/` is `%2F`.'),
  name: text('Its last part.'),
  title: text("The form's title; empty where it has none."),
  description: text('What it is for.'),
  builtin: Type.Boolean({ description: 'It comes with the program and cannot be changed.' }),
  app: Type.Boolean({ description: 'Somebody chose what its form asks for.' }),
  size: Type.Integer({ description: 'Bytes.' }),
  modified_at: text('When the file was written.', { format: 'date-time' }),
  picture: nullable(text('The newest picture that it made; an example for a form of the program.')),
  urls: Type.Object(
    { self: text('The workflow.'), form: text('Its form.'), page: text('The form as a page.') },
    { description: 'Addresses that belong to it.' },
  ),
};

export const WorkflowSummary = Type.Object(summary, { title: 'WorkflowSummary' });

export const WorkflowList = Type.Object(
  {
    workflows: Type.Array(WorkflowSummary),
    total: Type.Integer({ description: 'Workflows there are.' }),
  },
  { title: 'WorkflowList' },
);

export const SavedWorkflow = Type.Object(
  {
    ...summary,
    workflow: free('The file: an editor workflow, or a prompt in the API format.'),
    warnings: Type.Array(Type.String(), {
      description: 'What could only be guessed when it was converted.',
    }),
  },
  { title: 'SavedWorkflow', description: 'A workflow of the library with its contents.' },
);

const source = {
  workflow: Type.Optional(
    free('An editor workflow, a prompt in the API format, or a body of POST /prompt with them.'),
  ),
  picture: Type.Optional(
    text('A PNG or WebP that holds a workflow, as base64.', { contentEncoding: 'base64' }),
  ),
};

export const NewWorkflow = Type.Object(
  {
    name: text('What to call it.', { minLength: 1, maxLength: 200 }),
    folder: Type.Optional(text('Folder below the workflows folder.', { maxLength: 400 })),
    overwrite: Type.Optional(Type.Boolean({ description: 'Replace a file of that name.' })),
    ...source,
  },
  {
    title: 'NewWorkflow',
    additionalProperties: false,
    anyOf: [{ required: ['workflow'] }, { required: ['picture'] }],
  },
);

export const WorkflowChange = Type.Object(
  {
    ...source,
    id: Type.Optional(text('Its new id: moves the file.', { minLength: 1, maxLength: 600 })),
  },
  { title: 'WorkflowChange', additionalProperties: false, minProperties: 1 },
);

export const WorkflowSource = Type.Object(source, {
  title: 'WorkflowSource',
  additionalProperties: false,
  anyOf: [{ required: ['workflow'] }, { required: ['picture'] }],
});

const KINDS = [
  ...(['text', 'longtext', 'int', 'float', 'bool', 'select', 'seed'] as const),
  ...(['image', 'mask', 'video', 'audio', 'model'] as const),
] as const satisfies readonly FieldKind[];
const ROLES = [
  ...(['positive', 'negative', 'seed', 'width', 'height', 'length'] as const),
  ...(['batch', 'steps', 'cfg', 'denoise'] as const),
] as const satisfies readonly FieldRole[];

export const FormField = Type.Object(
  {
    key: text('`<node>.<input>`: stays while the node stays.'),
    name: text('A short name; may change with the workflow.'),
    node_id: text('The node that takes it.'),
    input: text("The node's input."),
    label: text('What people see.'),
    help: text('What it does.'),
    kind: words(KINDS, 'How it is asked for.'),
    role: nullable(words(ROLES, 'What it means to the result.')),
    category: words(CATEGORIES, 'What it belongs to.'),
    section: text('Heading under which it stands; empty under none.'),
    default: Type.Unsafe<unknown>({ description: 'The value in the file.' }),
    min: number('Least value.'),
    max: number('Greatest value.'),
    step: number('Distance between values.'),
    slider: nullable(
      Type.Object(
        { min: Type.Number(), max: Type.Number(), step: Type.Number() },
        { description: 'What a slider offers; more may be allowed.' },
      ),
    ),
    options: nullable(
      Type.Array(Type.Unsafe<string | number>({ type: ['string', 'number'] }), {
        description: 'What may be chosen.',
      }),
    ),
    advanced: Type.Boolean({ description: 'Shown when more is asked for.' }),
    hidden: Type.Boolean({ description: 'Left out by the author; may be set all the same.' }),
    masked: Type.Boolean({ description: 'The mask of this picture is used too.' }),
    targets: Type.Array(Type.String(), { description: 'All inputs that take the value.' }),
  },
  { title: 'FormField', description: 'An input of a workflow that may be filled in.' },
);

export const WorkflowForm = Type.Object(
  {
    id: summary.id,
    title: summary.title,
    description: summary.description,
    builtin: summary.builtin,
    source: words(['app', 'rules'], 'Chosen by an author, or found by rule.'),
    fields: Type.Array(FormField),
    outputs: Type.Array(
      Type.Object({
        node_id: text('The node.'),
        title: text('Its title.'),
        class_type: text('Its class.'),
        shown: Type.Boolean({ description: 'Its results are shown.' }),
      }),
      { description: 'Nodes that show or save something.' },
    ),
    warnings: Type.Array(Type.String()),
  },
  { title: 'WorkflowForm', description: 'What a workflow asks for.' },
);

const optionalText = (description: string, maxLength: number) =>
  Type.Optional(text(description, { maxLength }));

export const FormChange = Type.Object(
  {
    title: optionalText("The form's title.", 200),
    description: optionalText('What it is for.', 4000),
    fields: nullable(
      Type.Array(
        Type.Object(
          {
            key: text('Which field.'),
            label: optionalText('What people see.', 200),
            help: optionalText('What it does.', 4000),
            section: optionalText('Heading under which it stands.', 200),
            min: Type.Optional(Type.Number()),
            max: Type.Optional(Type.Number()),
            step: Type.Optional(Type.Number({ exclusiveMinimum: 0 })),
            default: Type.Optional(
              Type.Unsafe<unknown>({ description: 'The value to write into the file.' }),
            ),
          },
          { additionalProperties: false },
        ),
        { description: 'Fields to show in their order; null leaves the choice to the rules.' },
      ),
    ),
    outputs: Type.Optional(
      nullable(Type.Array(Type.String(), { description: 'Nodes whose results are shown.' })),
    ),
  },
  { title: 'FormChange', additionalProperties: false },
);

const { id, client_id: clientId, webhook, wait, front } = RunRequest.properties;

/** What may be said beside the values of a run. */
export const runMembers = {
  seed_mode: Type.Optional(
    Type.Unsafe<'fixed' | 'random'>({
      type: 'string',
      enum: ['fixed', 'random'],
      default: 'fixed',
      description: '`random` draws every seed that `values` does not give.',
    }),
  ),
  id,
  client_id: clientId,
  webhook,
  wait,
  front,
};

export const FormRunRequest = Type.Object(
  {
    values: Type.Optional(free('Values by the name or key of fields; others keep their default.')),
    ...runMembers,
  },
  { title: 'FormRunRequest', additionalProperties: false },
);

const values = free('What its fields were, by key.');

export const FormRunResult = Type.Object(
  { ...RunResult.properties, values },
  { title: 'FormRunResult', description: 'The job that was made of a form.' },
);

export const FormRuns = Type.Object(
  {
    runs: Type.Array(Type.Object({ job: Job, values }), { description: 'The newest first.' }),
    total: Type.Integer({ description: 'Runs there are.' }),
  },
  { title: 'FormRuns' },
);

export const Requirements = Type.Object(
  {
    ready: Type.Boolean({ description: 'Nothing is missing.' }),
    nodes_missing: Type.Array(
      Type.Object({ class_type: Type.String(), nodes: Type.Array(Type.String()) }),
      { description: 'Classes that are not installed, and the nodes of them.' },
    ),
    models: Type.Array(
      Type.Object({
        folder: text('Model folder.'),
        name: text('File in it.'),
        installed: Type.Boolean(),
        url: nullable(text('Where the workflow says it can be found.')),
        hash: nullable(text('Its hash, as the workflow has it.')),
      }),
    ),
    disk_free: nullable(Type.Integer({ description: 'Bytes left where models lie.' })),
  },
  { title: 'Requirements', description: 'What a workflow needs.' },
);

export const WorkflowCheck = Type.Object(
  {
    valid: Type.Boolean({ description: 'It could run as it is.' }),
    format: words(['editor', 'api'], 'What was given.'),
    errors: Type.Array(ProblemPart),
    warnings: Type.Array(Type.String()),
    requirements: Requirements,
  },
  { title: 'WorkflowCheck' },
);
