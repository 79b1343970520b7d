/**
 * Every error the engine raises on purpose, as one table: code -> how its message reads and which
 * HTTP status it maps to. Messages name the subject first, then what was expected, then what came.
 */
interface ErrorRow {
  readonly status: number;
  /** Its parameter is what the error carries as `details`. */
  readonly message: (details: never) => string;
}

/** Refusals of the assets API, which answers with details of its own. */
type Refused = { readonly reason: string; readonly details?: object };

const show = (value: unknown): string =>
  typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));

export const errorTable = {
  // weights
  SAFETENSORS_HEADER: {
    status: 400,
    message: (d: { file: string; reason: string }) =>
      `${show(d.file)}: not a valid safetensors file: ${show(d.reason)}`,
  },
  GGUF_FILE: {
    status: 400,
    message: (d: { file: string; reason: string }) =>
      `${show(d.file)}: not a GGUF file that can be used: ${show(d.reason)}`,
  },
  WEIGHTS_MISSING: {
    status: 400,
    message: (d: { file: string; key: string }) =>
      `${show(d.file)}: tensor '${show(d.key)}' is missing`,
  },
  WEIGHTS_SHAPE: {
    status: 400,
    message: (d: { key: string; expected: unknown; got: unknown }) =>
      `'${show(d.key)}': expected shape ${show(d.expected)}, got ${show(d.got)}`,
  },
  FAMILY_UNKNOWN: {
    status: 400,
    message: (d: { file: string; reason: string }) =>
      `${show(d.file)}: could not detect the model type of this file: ${show(d.reason)}`,
  },
  // tensor programs and sessions
  PROGRAM: {
    status: 500,
    message: (d: { reason: string }) => `tensor program: ${show(d.reason)}`,
  },
  WEIGHTS_CHANGED: {
    status: 409,
    message: (d: { file: string }) =>
      `${show(d.file)}: the file changed while it was in use; load it again`,
  },
  SESSION: {
    status: 500,
    message: (d: { model: string; reason: string }) =>
      `model '${show(d.model)}': ${show(d.reason)}`,
  },
  DEVICE: {
    status: 400,
    message: (d: { device: string; reason: string }) =>
      `device '${show(d.device)}': ${show(d.reason)}`,
  },
  OUT_OF_MEMORY: {
    status: 500,
    message: (d: { model: string; reason: string }) =>
      `Allocation on device: model '${show(d.model)}' did not fit in memory (${show(d.reason)}).\n` +
      'This error means you ran out of memory on your device.\n\n' +
      'TIPS: If the workflow worked before you might have accidentally set the batch_size ' +
      'to a large number.',
  },
  DEVICE_LOST: {
    status: 500,
    message: (d: { model: string; reason: string }) =>
      `the device was lost while model '${show(d.model)}' ran on it (${show(d.reason)}). It is opened ` +
      'anew for the next prompt. If that happens again, see whether its driver was reset or updated, or ' +
      'use another device (--device cpu).',
  },
  // files
  PATH_OUTSIDE: {
    status: 403,
    message: (d: { path: string; reason: string; outside?: boolean }) =>
      `path '${show(d.path)}' ${show(d.reason)}`,
  },
  /** ComfyUI's own words, clients look for them; the folder is the one asked for, not the server's. */
  SAVE_OUTSIDE: {
    status: 403,
    message: (d: { folder: string; reason?: string }) =>
      '**** ERROR: Saving image outside the output folder is not allowed.' +
      `\n full_output_folder: ${show(d.folder)}\n         output_dir: output` +
      (d.reason === undefined ? '' : `\n The path ${show(d.reason)}.`),
  },
  FILE_WRITE: {
    status: 500,
    message: (d: { name: string; reason: string }) =>
      `file '${show(d.name)}' could not be written: ${show(d.reason)}`,
  },
  FILE_EXISTS: {
    status: 409,
    message: (d: { name: string }) => `file '${show(d.name)}' already exists`,
  },
  READ_ONLY: {
    status: 409,
    message: (d: { name: string }) => `'${show(d.name)}' comes with the program and stays as it is`,
  },
  USER_UNKNOWN: {
    status: 401,
    message: (d: { user: string }) => `user '${show(d.user)}' is not known here`,
  },
  USER_NAME: {
    status: 400,
    message: (d: { reason: string }) => show(d.reason),
  },
  FILE_NOT_FOUND: {
    status: 404,
    message: (d: { kind: string; name: string }) =>
      `${show(d.kind)} '${show(d.name)}' was not found`,
  },
  TIME_LIMIT: {
    status: 400,
    message: (d: { what: string; seconds: number }) =>
      `${show(d.what)} took longer than ${show(d.seconds)} s and was given up`,
  },
  // pictures
  IMAGE_FILE: {
    status: 400,
    message: (d: { name?: string; reason: string }) =>
      `Invalid image file${d.name === undefined ? '' : `: ${show(d.name)}`}: ${show(d.reason)}`,
  },
  // models on wires
  NO_CLIP: {
    status: 400,
    message: () =>
      'ERROR: clip input is invalid: None\n\nIf the clip is from a checkpoint loader node your ' +
      'checkpoint does not contain a valid clip or text encoder model.',
  },
  VOCABULARY_MISSING: {
    status: 400,
    message: (d: { vocabulary: string; files: string; folder: string; from: string }) =>
      `The text encoder's vocabulary (${show(d.vocabulary)}) is missing: put ${d.files} of huggingface.co/${d.from} ` +
      `into ${d.folder} of the models folder. A ComfyUI installation has it in comfy/text_encoders.`,
  },
  NO_VAE: {
    status: 400,
    message: () =>
      'ERROR: VAE is invalid: None\n\nIf the VAE is from a checkpoint loader node your checkpoint ' +
      'does not contain a valid VAE.',
  },
  // queue
  DATABASE_BUSY: {
    status: 500,
    message: (d: { path: string }) =>
      `database '${show(d.path)}' is in use by another server: stop that one, or give this one ` +
      'another --user-directory or --database-url',
  },
  DATABASE_NEWER: {
    status: 500,
    message: (d: { path: string; version: number }) =>
      `database '${show(d.path)}' was written by a later version (its version ${show(d.version)})`,
  },
  DUPLICATE_JOB: {
    status: 409,
    message: (d: { id: string }) =>
      `a prompt with the id '${show(d.id)}' is waiting or running already`,
  },
  // assets: the codes are those of ComfyUI's API
  SERVICE_DISABLED: {
    status: 503,
    message: () => 'Assets are turned off on this server (--disable-assets).',
  },
  ASSET_NOT_FOUND: {
    status: 404,
    message: (d: { id: string }) => `asset '${show(d.id)}' was not found`,
  },
  INVALID_HASH: { status: 400, message: () => "hash must be like 'blake3:<64 hex digits>'" },
  INVALID_QUERY: {
    status: 400,
    message: (d: Refused) => show(d.reason),
  },
  INVALID_TAG_FILTER: {
    status: 400,
    message: (d: Refused) => show(d.reason),
  },
  INVALID_CURSOR: {
    status: 400,
    message: (d: { reason: string }) => `after: ${show(d.reason)}`,
  },
  UNSUPPORTED_PARAM: {
    status: 400,
    message: (d: { name: string }) => `${show(d.name)} is not supported any more`,
  },
  UNSUPPORTED_FIELD: {
    status: 400,
    message: (d: { name: string }) => `field '${show(d.name)}' is not supported`,
  },
  UNSUPPORTED_MEDIA_TYPE: {
    status: 415,
    message: (d: Refused) => show(d.reason),
  },
  INVALID_JSON: { status: 400, message: () => 'the request body must be JSON' },
  INVALID_BODY: {
    status: 400,
    message: (d: Refused) => show(d.reason),
  },
  MISSING_FILE: { status: 400, message: () => "the form needs a 'file' part or a known 'hash'" },
  EMPTY_UPLOAD: { status: 400, message: () => 'the uploaded file is empty' },
  HASH_MISMATCH: {
    status: 400,
    message: (d: { got: unknown; expected: unknown }) =>
      `hash: the file's is ${show(d.got)}, not ${show(d.expected)}`,
  },
  UPLOAD_UNSTABLE: {
    status: 500,
    message: (d: { name: string }) => `file '${show(d.name)}' kept changing while it was hashed`,
  },
  FEATURE_DISABLED: {
    status: 400,
    message: () => 'hashes are not looked up on this server (--enable-asset-hashing turns it on)',
  },
  SYSTEM_TAG_FORBIDDEN: {
    status: 400,
    message: (d: { tag: string; details: object }) =>
      `tag '${show(d.tag)}' is the server's own and cannot be set or removed`,
  },
  // training
  TRAINING_JOB: {
    status: 400,
    message: (d: { file: string; problems: string | readonly string[] }) => {
      const problems = [d.problems].flat();
      return `${show(d.file)}: ${problems.length === 1 ? '' : '\n  '}${problems.join('\n  ')}`;
    },
  },
  // public API
  JOB_UNKNOWN: {
    status: 404,
    message: (d: { id: string }) => `there is no job '${show(d.id)}'`,
  },
  BATCH_UNKNOWN: {
    status: 404,
    message: (d: { id: string }) => `there is no batch '${show(d.id)}'`,
  },
  JOB_FINISHED: {
    status: 409,
    message: (d: { id: string; status: string }) =>
      `job '${show(d.id)}' has finished already (${show(d.status)})`,
  },
  JOB_ACTIVE: {
    status: 409,
    message: (d: { id: string }) => `job '${show(d.id)}' has not finished yet`,
  },
  NOT_WAITING: {
    status: 409,
    message: (d: { id: string }) => `job '${show(d.id)}' does not wait in the queue`,
  },
  WEBHOOK_ADDRESS: {
    status: 400,
    message: (d: { url: string; reason: string }) =>
      `webhook '${show(d.url)}' is refused: ${show(d.reason)}`,
  },
  TOO_MANY: {
    status: 503,
    message: (d: { what: string; limit: number }) =>
      `too many ${show(d.what)}: the limit is ${show(d.limit)}`,
  },
  // runtime
  INTERRUPTED: { status: 200, message: () => 'interrupted' },
  UNSUPPORTED: {
    status: 400,
    message: (d: { what: string }) => show(d.what),
  },
  BAD_INPUT: {
    status: 400,
    message: (d: { subject: string; expected: unknown; got: unknown }) =>
      `${show(d.subject)}: expected ${show(d.expected)}, got ${show(d.got)}`,
  },
} satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof errorTable;

type Message<C extends ErrorCode> = (typeof errorTable)[C]['message'];

/** What an error of a code carries: the values that its message names. */
export type ErrorDetails<C extends ErrorCode> =
  Message<C> extends () => string ? undefined : Parameters<Message<C>>[0];

type Rest<C extends ErrorCode> =
  Message<C> extends () => string
    ? [details?: undefined, options?: ErrorOptions]
    : [details: ErrorDetails<C>, options?: ErrorOptions];

/** An error with a code of `errorTable`; `details` carries the values its message names. */
export class NoodleError<C extends ErrorCode = ErrorCode> extends Error {
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: C, ...[details, options]: Rest<C>) {
    super(messageOf(code, details ?? {}), options);
    this.name = 'NoodleError';
    this.code = code;
    this.details = details ?? {};
  }

  /** An error that another thread or process raised and sent as its code and details. */
  static received(code: ErrorCode, details: Readonly<Record<string, unknown>>): NoodleError {
    return new NoodleError(code, ...([details] as unknown as Rest<ErrorCode>));
  }

  /** HTTP status that the server answers with when this error reaches a route. */
  get status(): number {
    return errorTable[this.code].status;
  }
}

const messageOf = (code: ErrorCode, details: object): string =>
  (errorTable[code].message as (details: object) => string)(details);
