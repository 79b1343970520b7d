/** Jobs as GET /api/jobs shows them. */
import { pythonStr } from '../python/repr.ts';
import { type FinishedJob, type Job, isFinished } from '../queue/store.ts';
import { entriesOf, Float, type Json, objectOf, parseJson } from '../workflow/lossless-json.ts';

type JsonObject = { readonly [key: string]: Json };

/** Media keys whose items a page can show. */
const SHOWN_MEDIA = ['images', 'video', 'audio', '3d', 'text'];
const MODEL_FILE = /\.(obj|fbx|gltf|glb|usdz)$/i;
const TEXT_FILE = /\.(txt|md|json)$/i;
/** Code points. */
const LONGEST_TEXT = 1024;

/** A job in a list; `undefined` members are left out of the JSON. */
export function jobSummary(job: Job | FinishedJob): Record<string, unknown> {
  const found = isFinished(job) ? summarize(parseJson(job.outputsText)) : NOTHING;
  return {
    id: job.id,
    status: job.status,
    priority: parseJson(job.numberText),
    create_time: job.createdAt,
    execution_start_time: isFinished(job) ? job.executionStart : undefined,
    execution_end_time: isFinished(job) ? job.executionEnd : undefined,
    execution_error: isFinished(job) ? executionError(job) : undefined,
    outputs_count: found.count,
    previewable_outputs_count: found.shown,
    preview_output: found.preview,
    workflow_id: job.workflowId,
  };
}

/** A job with its workflow and, when it has finished, everything that came out. */
export function jobDetail(job: Job | FinishedJob): Record<string, unknown> {
  const workflow = { prompt: parseJson(job.prompt), extra_data: parseJson(job.extraData) };
  if (!isFinished(job)) return { ...jobSummary(job), workflow };
  return {
    ...jobSummary(job),
    outputs: normalized(parseJson(job.outputsText)),
    execution_status: parseJson(job.statusText),
    workflow,
  };
}

function executionError(job: FinishedJob): Json | undefined {
  if (job.status !== 'failed') return undefined;
  const { messages } = parseJson(job.statusText) as { messages: [string, Json][] };
  return messages.findLast(([event]) => event === 'execution_error')?.[1];
}

interface Summary {
  count: number;
  shown: number;
  preview: JsonObject | undefined;
}

const NOTHING: Summary = { count: 0, shown: 0, preview: undefined };

/**
 * Counts outputs and picks the one that stands for the job: a saved picture (film, sound, 3D), else
 * any such, else a text file, else plain text.
 */
function summarize(outputs: Json): Summary {
  const best: (JsonObject | undefined)[] = [];
  let count = 0;
  let shown = 0;
  for (const { nodeId, media, item } of outputItems(outputs)) {
    if (!isObject(item)) {
      if (media === 'text') {
        best[3] ??= { ...textPreview(pythonStr(item)), nodeId, mediaType: media };
      }
      continue;
    }
    count++;
    if (!isShown(media, item)) continue;
    shown++;
    const isText = media === 'text' || TEXT_FILE.test(nameOf(item));
    const rank = isText ? 2 : item.type === 'output' ? 0 : 1;
    best[rank] ??= { ...item, nodeId, mediaType: item.mediaType ?? media };
  }
  return { count, shown, preview: best.find((candidate) => candidate !== undefined) };
}

/** Every item of every list of every node, file names of 3D models as files. */
export function* outputItems(
  outputs: Json,
): Generator<{ nodeId: string; media: string; item: Json }> {
  if (!isObject(outputs)) return;
  for (const [nodeId, ui] of entriesOf(outputs)) {
    if (!isObject(ui)) continue;
    for (const [media, list] of entriesOf(ui)) {
      if (media === 'animated' || !Array.isArray(list)) continue;
      for (const item of list) yield { nodeId, media, item: modelFile(item) };
    }
  }
}

/** The outputs without nulls and with 3D file names as files. */
function normalized(outputs: Json): Json {
  if (!isObject(outputs)) return outputs;
  return mapValues(outputs, (ui) =>
    isObject(ui)
      ? mapValues(ui, (list, media) =>
          media === 'animated' || !Array.isArray(list)
            ? list
            : list.filter((item) => item !== null).map(modelFile),
        )
      : ui,
  );
}

const mapValues = (object: JsonObject, change: (value: Json, key: string) => Json): Json =>
  objectOf(entriesOf(object).map(([key, value]) => [key, change(value, key)] as const));

function modelFile(item: Json): Json {
  return typeof item === 'string' && MODEL_FILE.test(item)
    ? { filename: item, type: 'output', subfolder: '', mediaType: '3d' }
    : item;
}

function isShown(media: string, item: JsonObject): boolean {
  if (SHOWN_MEDIA.includes(media)) return true;
  if (typeof item.format === 'string' && /^(video|audio)\//.test(item.format)) return true;
  return MODEL_FILE.test(nameOf(item)) || TEXT_FILE.test(nameOf(item));
}

/** The beginning of a text, counted in code points as Python counts. */
function textPreview(text: string): JsonObject {
  if (text.length <= LONGEST_TEXT) return { content: text };
  const points = [...text.slice(0, 2 * (LONGEST_TEXT + 1))];
  return points.length <= LONGEST_TEXT
    ? { content: text }
    : { content: points.slice(0, LONGEST_TEXT).join(''), truncated: true };
}

const nameOf = ({ filename }: JsonObject): string => (typeof filename === 'string' ? filename : '');

/** Whether a value is a JSON object. */
export const isObject = (value: Json): value is { [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Float);
