/** Runs one job in this process and says everything about it in the engine's messages. */
import { executePrompt } from '../graph/execute.ts';
import type { Prompt } from '../graph/definition.ts';
import type { Ui } from '../graph/call-results.ts';
import type { GraphMessage } from '../graph/messages.ts';
import { encodePreview } from '../media/preview.ts';
import type { Folders } from '../store/folders.ts';
import { isFile } from '../store/paths.ts';
import { type ShownFile, shownFile } from '../store/shown-file.ts';
import type { EngineOptions } from '../values/services.ts';
import { type Json, parseJson } from '../workflow/lossless-json.ts';
import type { EngineHost } from './compose.ts';
import type { EngineJob, FromEngine, JobEnd } from './messages.ts';
import { createOutbox } from './outbox.ts';

type PreviewMethod = EngineOptions['previewMethod'];
const PREVIEW_METHODS: readonly PreviewMethod[] = ['none', 'auto', 'latent2rgb', 'taesd'];

export interface JobChannel {
  readonly send: (message: FromEngine) => void;
  /** Puts on its way what `send` may still hold. */
  readonly flush: () => void;
  /** Aborted to interrupt the job. */
  readonly signal: AbortSignal;
}

/**
 * Runs a job to its end and resolves with it once all its messages were sent, in ComfyUI's
 * order. Never throws: what goes wrong is part of the end.
 */
export async function runJob(
  job: EngineJob,
  host: EngineHost,
  { send, flush, signal }: JobChannel,
): Promise<JobEnd> {
  const outbox = createOutbox(send);
  const extraData = parseJson(job.extraData) as Record<string, Json>;
  const services = host.services(() => outbox.put({ type: 'saving', jobId: job.id }));
  const previewMethod = previewMethodOf(extraData, services.options.previewMethod);
  const end = await executePrompt(
    {
      promptId: job.id,
      prompt: parseJson(job.prompt) as unknown as Prompt,
      extraData,
      outputs: job.outputs,
    },
    {
      nodes: host.nodes,
      services: { ...services, options: { ...services.options, previewMethod } },
      caches: host.caches,
      emit: (message) => outbox.put(translate(job.id, message, host.previewSize)),
      flush,
      isThere: (ui) => filesIn(ui, host.folders).every(({ path }) => isFile(path)),
      onShow: (ui) => {
        for (const { path, ...file } of filesIn(ui, host.folders)) {
          if (isFile(path)) outbox.put({ type: 'wrote', jobId: job.id, ...file });
        }
      },
      signal,
      now: Date.now,
      onOutOfMemory: () => void host.runtime.unloadAll(),
    },
  );
  await outbox.empty();
  return end;
}

const filesIn = (ui: Ui, folders: Folders): ShownFile[] =>
  Object.values(ui)
    .flat()
    .flatMap((entry) => shownFile(entry, folders) ?? []);

/** A prompt may choose its previews; `default` and anything unknown mean the server's own setting. */
function previewMethodOf(extraData: Record<string, Json>, usual: PreviewMethod): PreviewMethod {
  const wanted = extraData.preview_method;
  return PREVIEW_METHODS.find((method) => method === wanted) ?? usual;
}

function translate(
  jobId: string,
  message: GraphMessage,
  previewSize: number,
): FromEngine | Promise<FromEngine> {
  if (message.type !== 'preview') return { ...message, jobId };
  const { image, ...preview } = message;
  if ('bytes' in image) return { ...preview, jobId, format: image.format, image: image.bytes };
  return encodePreview(image, previewSize).then((jpeg) => ({
    ...preview,
    jobId,
    format: 'image/jpeg',
    image: jpeg,
  }));
}
