/**
 * The shapes of the public API: one schema per shape, which checks requests, gives the types their
 * names and stands in the OpenAPI document. A schema with a `title` becomes a component there.
 */
import { type Static, Type } from 'typebox';
import { JOB_STATUSES } from '../../queue/store.ts';
import { JobSummary } from './job-summary.ts';
import { count, free, nullable, text, time, words } from './schema-parts.ts';

export const JobStatus = words(
  JOB_STATUSES,
  'pending: waits in the queue; in_progress: runs; the others are ends.',
);

export const Output = Type.Object(
  {
    node_id: text('The node that made it.'),
    kind: text("The node's own word: images, audio, text, 3d …"),
    filename: Type.Optional(text('Name of the file, where it is one.')),
    subfolder: Type.Optional(text('Folder of the file inside its directory.')),
    directory: Type.Optional(words(['output', 'input', 'temp'], 'Where the file lies.')),
    media_type: Type.Optional(text('Media type of the file.', { examples: ['image/png'] })),
    url: Type.Optional(text('Where the file can be fetched.')),
    text: Type.Optional(text('The text, where it is one.')),
    value: Type.Optional(Type.Unsafe<unknown>({ description: 'Whatever else the node showed.' })),
  },
  { title: 'Output', description: 'One thing that a job made.' },
);
export type Output = Static<typeof Output>;

export const JobError = Type.Object(
  {
    type: text('Class of the error.'),
    message: text('What went wrong.'),
    node_id: nullable(text('The node it went wrong in.')),
    node_type: nullable(text("That node's class.")),
  },
  { title: 'JobError', description: 'Why a job failed.' },
);
export type JobError = Static<typeof JobError>;

export const Progress = Type.Object(
  {
    node_id: text('The node that runs.'),
    value: Type.Number({ description: 'Steps done.' }),
    max: Type.Number({ description: 'Steps there are.' }),
  },
  { title: 'Progress', description: 'How far the running node is.' },
);
export type Progress = Static<typeof Progress>;

const jobMembers = {
  id: text('Id of the job; ComfyUI calls it prompt_id.'),
  status: JobStatus,
  number: Type.Number({ description: 'Place in the queue: lower runs first.' }),
  position: Type.Optional(count('Waiting jobs that run before this one.')),
  created_at: time('When it was submitted.'),
  started_at: nullable(time('When it began to run.')),
  finished_at: nullable(time('When it came to its end.')),
  client_id: nullable(text('The client that hears of it over the websocket.')),
  workflow_id: nullable(text('Id of the editor workflow it was made from.')),
  progress: nullable(Progress),
  summary: Type.Optional(JobSummary),
  outputs: Type.Array(Output, { description: 'What it made; empty until it has finished.' }),
  error: nullable(JobError),
  urls: Type.Object(
    { self: text('This job.'), events: text('Events of this job as a stream.') },
    { description: 'Addresses that belong to the job.' },
  ),
};

export const Job = Type.Object(jobMembers, {
  title: 'Job',
  description: 'A workflow that waits, runs or has run.',
});
export type Job = Static<typeof Job>;

export const JobDetail = Type.Object(
  {
    ...jobMembers,
    prompt: Type.Optional(free('The prompt as it runs, when it was asked for.')),
    extra_data: Type.Optional(free('What was submitted beside it, when it was asked for.')),
  },
  { title: 'JobDetail', description: 'A job, with its prompt when `include=prompt` asked for it.' },
);

export const ProblemPart = Type.Object(
  {
    pointer: Type.Optional(text('JSON Pointer into the request body.')),
    parameter: Type.Optional(text('Name of a path or query parameter.')),
    node_id: Type.Optional(text('Node of the prompt.')),
    input: Type.Optional(text('Input of that node.')),
    detail: text('What is wrong there.'),
  },
  { title: 'ProblemPart', description: 'One thing that is wrong with a request.' },
);
export type ProblemPart = Static<typeof ProblemPart>;

export const Problem = Type.Object(
  {
    type: text('urn:noodle:problem:<code>'),
    title: text('The status in words.'),
    status: Type.Integer({ description: 'The HTTP status.' }),
    code: text('What happened, for programs.', { examples: ['validation_failed'] }),
    detail: text('What happened, for people.'),
    errors: Type.Optional(Type.Array(ProblemPart)),
  },
  { title: 'Problem', description: 'An error as in RFC 9457.' },
);
export type Problem = Static<typeof Problem>;

export const RunResult = Type.Object(
  {
    ...jobMembers,
    warnings: Type.Array(Type.String(), {
      description: 'What could only be guessed when an editor workflow was converted.',
    }),
    rejected_outputs: Type.Array(ProblemPart, {
      description: 'Output nodes that were left out because something before them is wrong.',
    }),
  },
  { title: 'RunResult', description: 'The job that was made of a workflow.' },
);

const Webhook = Type.Object(
  {
    url: text('http or https; told with a POST when the job has come to its end.', {
      format: 'uri',
      maxLength: 2048,
    }),
    secret: Type.Optional(
      text('Key of the HMAC-SHA256 signature; a text, or `whsec_` and base64.', {
        minLength: 8,
        maxLength: 512,
      }),
    ),
  },
  { title: 'Webhook', additionalProperties: false },
);

export const RunRequest = Type.Object(
  {
    workflow: Type.Optional(
      free('An editor workflow, a prompt in the API format, or a body of POST /prompt with them.'),
    ),
    prompt: Type.Optional(
      free('A prompt in the API format; `workflow` is then only saved with the results.'),
    ),
    inputs: Type.Optional(
      Type.Unsafe<Readonly<Record<string, unknown>>>({
        type: 'object',
        description:
          'Inputs to change, by NODE.INPUT: NODE is an id, or a title or class that only one node has.',
        examples: [{ '6.text': 'a blue star', '3.seed': 7 }],
      }),
    ),
    id: Type.Optional(
      text('Id of the job, if it should not be generated.', { minLength: 1, maxLength: 200 }),
    ),
    client_id: Type.Optional(text('Client whose websocket hears of the job.', { maxLength: 256 })),
    webhook: Type.Optional(Webhook),
    wait: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 3600,
        description: 'Seconds to wait for the end of the job before answering.',
      }),
    ),
    front: Type.Optional(Type.Boolean({ description: 'Run before everything that waits.' })),
    number: Type.Optional(
      Type.Number({ description: 'Place in the queue: lower runs first. Replaces `front`.' }),
    ),
    outputs: Type.Optional(
      Type.Array(Type.String(), { description: 'Output nodes to run; left out: all.' }),
    ),
    extra_data: Type.Optional(free("ComfyUI's extra_data.")),
  },
  {
    title: 'RunRequest',
    additionalProperties: false,
    anyOf: [{ required: ['workflow'] }, { required: ['prompt'] }],
  },
);

export const JobPage = Type.Object(
  {
    jobs: Type.Array(Job),
    total: count('Jobs there are without paging.'),
    offset: count('Where the page begins.'),
    limit: count('How long a page is.'),
    next: nullable(text('The next page.')),
  },
  { title: 'JobPage' },
);

export const Cancelled = Type.Object(
  {
    id: text('Id of the job.'),
    status: words(
      ['cancelled', 'cancelling'],
      'cancelled: it waited and is gone; cancelling: it runs and was told to stop.',
    ),
  },
  { title: 'Cancelled' },
);

export const Queue = Type.Object(
  {
    paused: Type.Boolean({ description: 'Nothing is started while this holds.' }),
    running_count: count('Jobs that run.'),
    pending_count: count('Jobs that wait.'),
    running: Type.Array(Job),
    pending: Type.Array(Job, { description: 'The first of the waiting jobs, next one first.' }),
  },
  { title: 'Queue' },
);

export const QueueChange = Type.Object(
  {
    front: Type.Optional(
      Type.Literal(true, { description: 'Run before everything that waits now.' }),
    ),
    number: Type.Optional(Type.Number({ description: 'The new place: lower runs first.' })),
    before: Type.Optional(
      nullable(text('Id of a waiting job: run right before it; null: run last.')),
    ),
  },
  { title: 'QueueChange', additionalProperties: false, minProperties: 1, maxProperties: 1 },
);

export const NodeSummary = Type.Object(
  {
    name: text('The class, as `class_type` names it.'),
    display_name: text('Its name for people.'),
    category: text('Its place in menus.'),
    description: text('What it does.'),
    output_node: Type.Boolean({ description: 'Its results are results of the job.' }),
    deprecated: Type.Boolean({ description: 'Kept for old workflows only.' }),
    experimental: Type.Boolean({ description: 'May change.' }),
    url: text('Everything about it.'),
  },
  { title: 'NodeSummary' },
);
export type NodeSummary = Static<typeof NodeSummary>;

export const NodeList = Type.Object(
  { nodes: Type.Array(NodeSummary), total: count('Nodes in the list.') },
  { title: 'NodeList' },
);

export const NodeClass = Type.Object(
  {
    name: text('The class.'),
    category: text('Its place in menus.'),
    input: free('Inputs by kind (required, optional, hidden) and name: `[type, options?]`.'),
    output: Type.Array(Type.Unsafe<unknown>({}), { description: 'Types of the outputs.' }),
  },
  {
    title: 'NodeClass',
    description: "A node class in the shape of ComfyUI's object_info, with all its members.",
    additionalProperties: true,
  },
);

export const ModelFolders = Type.Object(
  {
    folders: Type.Array(
      Type.Object({
        name: text('Name of the folder.', { examples: ['checkpoints'] }),
        count: count('Files in it.'),
        url: text('The files.'),
      }),
    ),
  },
  { title: 'ModelFolders' },
);

export const ModelFiles = Type.Object(
  {
    folder: text('Name of the folder.'),
    files: Type.Array(
      Type.Object({
        name: text('As nodes name it.', { examples: ['tiny-scenes.safetensors'] }),
        size: count('Bytes.'),
        modified_at: time('When it was last changed.'),
      }),
    ),
  },
  { title: 'ModelFiles' },
);

const streamedText = 'Bytes that each run reads anew, where memory is short.';

export const System = Type.Object(
  {
    version: text("This program's version."),
    comfyui_version: text("The version of ComfyUI's interface that it speaks."),
    node_version: text('The version of Node.js.'),
    platform: text('The operating system.'),
    uptime_seconds: Type.Number({ minimum: 0, description: 'Since the server was started.' }),
    memory: Type.Object({
      total: count('Bytes of the machine.'),
      available: count('Bytes that programs can still get.'),
      server: count('Bytes of the server process.'),
    }),
    devices: Type.Array(
      Type.Object({
        id: text('As `--device` takes it.', { examples: ['cpu'] }),
        name: text('Its name.'),
        type: text('cpu, webgpu or cuda.'),
        precision: text('What its engines compute in.'),
        memory_total: count('Bytes.'),
        memory_free: count('Bytes.'),
        memory_budget: count('Bytes that models may take.'),
        memory_used: count('Bytes that models take.'),
        memory_streamed: count(streamedText),
      }),
      { description: 'Those that engines compute on; /v1/devices has all.' },
    ),
    engines: Type.Object({
      total: count('Engine processes there should be.'),
      ready: count('Those that can take jobs or run one.'),
      restarts: count('Times that one ended unasked.'),
    }),
  },
  { title: 'System' },
);

const DeviceEntry = Type.Object(
  {
    id: text('As `--device` takes it.', { examples: ['webgpu:0'] }),
    kind: text('cpu, webgpu or cuda.'),
    index: count('Its number among those of its kind.'),
    name: text('As its driver says it.'),
    type: words(
      ['cpu', 'discrete', 'integrated', 'virtual', 'software', 'unknown'],
      'software: a graphics driver that computes on the processor.',
    ),
    vendor: nullable(text('Whose it is, where that is known.')),
    precisions: Type.Array(Type.String(), {
      description:
        'What it can compute in; the first when nothing is asked for. Empty: it cannot be used.',
    }),
    problem: nullable(text('Why it cannot be used.')),
    precision: nullable(text('What its engines compute in; null: it has none.')),
    memory_total: nullable(count('Bytes of the memory that it computes in, where they are known.')),
    memory_free: nullable(count('Bytes of that which models could still get.')),
    memory_budget: nullable(count('Bytes that models may take.')),
    memory_used: nullable(count('Bytes that models take.')),
    memory_streamed: nullable(count(streamedText)),
    engines: Type.Array(
      Type.Object({
        state: words(['starting', 'idle', 'busy'], 'What it does.'),
        job_id: nullable(text('The job that it runs.')),
        models: Type.Array(
          Type.Object({
            name: text('What it is.'),
            bytes: count('Bytes that it takes in memory.'),
            streamed: count(streamedText),
          }),
          { description: 'Those that are open, as it was after its last job.' },
        ),
      }),
      { description: 'The engine processes on it.' },
    ),
  },
  { title: 'Device' },
);
export type DeviceEntry = Static<typeof DeviceEntry>;

export const DeviceList = Type.Object(
  {
    devices: Type.Array(DeviceEntry),
    missing: Type.Array(
      Type.Object({ kind: text('cuda …'), reason: text('Why there is none, and what to do.') }),
      { description: 'Kinds of which there is no device.' },
    ),
  },
  { title: 'DeviceList' },
);

export const Health = Type.Object({ status: Type.Literal('ok') }, { title: 'Health' });

export const Readiness = Type.Object(
  {
    status: words(['ready', 'unready'], 'Whether jobs submitted now would run.'),
    reasons: Type.Array(Type.String(), { description: 'What is missing.' }),
  },
  { title: 'Readiness' },
);
