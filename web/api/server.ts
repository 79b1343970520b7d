import { parseJson, stringifyJson, toPlain } from '../../engine/workflow/lossless-json.ts';
import { isRecord } from '../graph/input-spec.ts';
import type { LogEntry } from '../../engine/protocol.ts';
import type {
  DeviceInfo,
  FileRef,
  HistoryEntry,
  NodeErrors,
  NodeOutput,
  ObjectInfo,
  PromptAnswer,
  QueueItem,
} from './types.ts';
import { textOf } from '../text.ts';
import { userWorkflows } from './user-workflows.ts';
import { refusal } from './refused.ts';

/** The HTTP side of the server, by ComfyUI's routes; all URLs are relative to the page. */
export type Server = ReturnType<typeof createServer>;

/** Makes the client of the server that served the page; `base` is the page's own address. */
export function createServer(base: string) {
  const url = (path: string): string => new URL(path, base).href;

  const getJson = async (path: string): Promise<unknown> => {
    const response = await fetch(url(path), { cache: 'no-cache' });
    if (!response.ok) throw refusal(response.status, path);
    return toPlain(parseJson(await response.text()));
  };
  const post = (path: string, body: unknown): Promise<Response> =>
    fetch(url(path), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: stringifyJson(body, { style: 'compact' }),
    });

  const viewUrl = (file: FileRef, preview?: string): string => {
    const query = new URLSearchParams({
      filename: file.filename,
      subfolder: file.subfolder ?? '',
      type: file.type ?? 'output',
    });
    if (preview !== undefined) query.set('preview', preview);
    return url(`view?${query.toString()}`);
  };

  const storeAs = async (
    route: string,
    image: Blob,
    { filename, subfolder = '', type = 'input' }: FileRef,
    more: Readonly<Record<string, string>> = {},
  ): Promise<void> => {
    const form = new FormData();
    const fields = { subfolder, type, overwrite: 'true', ...more };
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    form.append('image', image, filename);
    const response = await fetch(url(route), { method: 'POST', body: form });
    if (!response.ok) throw refusal(response.status, filename);
  };

  return {
    url,
    /** A JSON answer as plain values, and a JSON body to send: for parts with routes of their own. */
    getJson,
    post,
    viewUrl,
    socketUrl: (clientId: string): string => {
      const address = new URL(`ws?clientId=${encodeURIComponent(clientId)}`, base);
      address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:';
      return address.href;
    },
    objectInfo: async (): Promise<ObjectInfo> => (await getJson('object_info')) as ObjectInfo,
    postPrompt: async (body: unknown): Promise<PromptAnswer> =>
      readAnswer(await post('prompt', body)),
    /** Those that engines compute on; none before the first engine is ready. */
    devices: async (): Promise<DeviceInfo[]> => {
      const data = await getJson('v1/system');
      const list = isRecord(data) && Array.isArray(data.devices) ? data.devices : [];
      return list.filter(isRecord).map((device) => ({
        id: textOf(device.id),
        name: textOf(device.name),
        precision: textOf(device.precision),
        used: Number(device.memory_used),
        budget: Number(device.memory_budget),
        streamed: Number(device.memory_streamed ?? 0),
      }));
    },
    /** Addresses of the page scripts of node packs. */
    extensions: async (): Promise<readonly string[]> => {
      const list = await getJson('extensions');
      return Array.isArray(list) ? list.filter((one) => typeof one === 'string') : [];
    },
    /** The newest lines of the server's log. */
    log: async (): Promise<readonly LogEntry[]> => {
      const data = await getJson('internal/logs/raw');
      return isRecord(data) && Array.isArray(data.entries) ? (data.entries as LogEntry[]) : [];
    },
    /** Whether `logs` messages come to this client. */
    followLog: async (clientId: string, enabled: boolean): Promise<void> => {
      await fetch(url('internal/logs/subscribe'), {
        method: 'PATCH',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ clientId, enabled }),
      });
    },
    /** A finished job with everything that it was sent with. */
    historyOf: async (promptId: string): Promise<HistoryEntry | null> => {
      const data = await getJson(`history/${encodeURIComponent(promptId)}`);
      return isRecord(data) && promptId in data ? readEntry(data[promptId]) : null;
    },
    interrupt: (): Promise<Response> => post('interrupt', {}),
    clearQueue: (): Promise<Response> => post('queue', { clear: true }),
    clearHistory: (): Promise<Response> => post('history', { clear: true }),
    deleteHistory: (ids: readonly string[]): Promise<Response> => post('history', { delete: ids }),
    /** Puts a file into the input folder, or a folder below it, under a free name; resolves to its path there. */
    upload: async (file: File, subfolder = ''): Promise<string> => {
      const form = new FormData();
      if (subfolder !== '') form.append('subfolder', subfolder);
      form.append('image', file, file.name);
      const response = await fetch(url('upload/image'), { method: 'POST', body: form });
      if (!response.ok) throw refusal(response.status, file.name);
      const answer = toPlain(parseJson(await response.text()));
      if (!isRecord(answer)) throw refusal(response.status, file.name);
      const folder = typeof answer.subfolder === 'string' ? answer.subfolder : '';
      return folder === '' ? String(answer.name) : `${folder}/${String(answer.name)}`;
    },
    /** A list of names: 'embeddings', 'models/loras'. */
    names: async (path: string): Promise<string[]> => {
      const list = await getJson(path);
      return Array.isArray(list) ? list.filter((name) => typeof name === 'string') : [];
    },
    /** The text of a file among the user's own; '' when there is none. */
    userText: async (path: string): Promise<string> => {
      const list = await getJson('v2/userdata');
      const there =
        Array.isArray(list) && list.some((item) => isRecord(item) && item.path === path);
      if (!there) return '';
      const response = await fetch(url(`userdata/${encodeURIComponent(path)}`));
      return response.ok ? response.text() : '';
    },
    /** Paths of the files of a kind in a folder (at most 500), the newest first; `words` narrow them. */
    mediaFiles: async (kind: string, directory: string, words: string): Promise<string[]> => {
      const query = new URLSearchParams({ kind, directory, limit: '500' });
      if (words !== '') query.set('q', words);
      const page = await getJson(`v1/outputs?${query.toString()}`);
      const files = isRecord(page) && Array.isArray(page.outputs) ? page.outputs : [];
      return files.filter(isRecord).map(({ path }) => String(path));
    },
    /** Address of a small picture of a picture. */
    thumbnailUrl: ({ filename, subfolder = '', type = 'output' }: FileRef): string => {
      const path = subfolder === '' ? filename : `${subfolder}/${filename}`;
      const query = new URLSearchParams({ path, directory: type, size: '160' });
      return url(`v1/outputs/thumbnail?${query.toString()}`);
    },
    /** Writes a picture under exactly this name. */
    uploadInto: (image: Blob, file: FileRef): Promise<void> => storeAs('upload/image', image, file),
    /** Writes the original's colours with the alpha of `image` under exactly this name. */
    uploadMask: (image: Blob, file: FileRef, original: FileRef): Promise<void> =>
      storeAs('upload/mask', image, file, { original_ref: JSON.stringify(original) }),
    /** What this user has set, by id. */
    settings: async (): Promise<Record<string, unknown>> => {
      const all = await getJson('settings');
      return isRecord(all) ? all : {};
    },
    saveSetting: async (id: string, value: unknown): Promise<void> => {
      const response = await post(`settings/${encodeURIComponent(id)}`, value);
      if (!response.ok) throw refusal(response.status);
    },
    examples: async (): Promise<string[]> => {
      const list = await getJson('ui/workflows/');
      return Array.isArray(list) ? list.map((n) => String(n).replace(/\.json$/, '')) : [];
    },
    example: (name: string): Promise<unknown> =>
      getJson(`ui/workflows/${encodeURIComponent(name)}.json`),
    /** The address of a picture of an example. */
    examplePicture: (name: string): string =>
      url(`ui/workflows/${encodeURIComponent(name)}.json/picture`),
    ...userWorkflows(url),
  };
}

async function readAnswer(response: Response): Promise<PromptAnswer> {
  const text = await response.text();
  let data: unknown = null;
  try {
    data = toPlain(parseJson(text));
  } catch {
    // A proxy's HTML page or a plain 500: reported below.
  }
  const body = isRecord(data) ? data : {};
  const nodeErrors = (isRecord(body.node_errors) ? body.node_errors : {}) as Record<
    string,
    NodeErrors
  >;
  if (response.ok) return { ok: true, promptId: String(body.prompt_id), nodeErrors };
  const error = isRecord(body.error) ? body.error : {};
  return {
    ok: false,
    nodeErrors,
    error: {
      type: textOf(error.type, 'server_error'),
      message: textOf(error.message, refusal(response.status).message),
      details: textOf(error.details, text.slice(0, 300)),
    },
  };
}

function readItem(raw: unknown): QueueItem {
  const [number, promptId, prompt, extraData] = Array.isArray(raw) ? (raw as unknown[]) : [];
  return {
    number: Number(number ?? 0),
    promptId: textOf(promptId),
    prompt: isRecord(prompt) ? prompt : {},
    extraData: isRecord(extraData) ? extraData : {},
  };
}

function readEntry(raw: unknown): HistoryEntry {
  const entry = isRecord(raw) ? raw : {};
  const status = isRecord(entry.status) ? entry.status : {};
  const messages = (Array.isArray(status.messages) ? status.messages : []).filter(
    (m): m is [string, Record<string, unknown>] => Array.isArray(m) && isRecord(m[1]),
  );
  const find = (type: string) => messages.find(([name]) => name === type)?.[1];
  const start = Number(find('execution_start')?.timestamp);
  const failed = find('execution_error');
  const interrupted = find('execution_interrupted');
  const end = Number((find('execution_success') ?? failed ?? interrupted)?.timestamp);
  return {
    ...readItem(entry.prompt),
    outputs: (isRecord(entry.outputs) ? entry.outputs : {}) as Record<string, NodeOutput>,
    status: interrupted ? 'interrupted' : status.status_str === 'error' ? 'error' : 'success',
    duration: Number.isFinite(end - start) ? end - start : null,
    errorMessage: failed ? textOf(failed.exception_message).trim() : null,
  };
}
