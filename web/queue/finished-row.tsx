import { useSignal } from '@preact/signals';
import { isRecord } from '../graph/input-spec.ts';
import { t } from '../locale/translate.ts';
import { Icon } from '../panels/icons.tsx';
import type { AppParts } from '../panels/parts.ts';
import { attempt } from '../pictures/file-actions.ts';
import { kindOf, type Picture } from '../pictures/picture.ts';
import { Thumbnail } from '../pictures/thumbnail.tsx';
import type { FileRef } from '../api/types.ts';
import type { createJobsApi, JobRow } from './jobs-api.ts';
import { JobWords } from './job-words.tsx';
import { durationText } from './time-left.ts';

interface FinishedParts {
  readonly job: JobRow;
  readonly parts: AppParts;
  readonly jobs: ReturnType<typeof createJobsApi>;
}

/** Pictures that are shown before the rest is asked for. */
const few = 4;

/** A job that came to its end: its pictures, what they were made from, and how to go on with it. */
export function FinishedRow({ job, parts, jobs }: FinishedParts) {
  const { runner, server, state } = parts;
  const open = useSignal(false);
  const files = job.files.filter(isShown);
  const shown = open.value ? files : files.slice(0, few);
  const images: Picture[] = files.map((file) => ({
    url: server.viewUrl(file),
    label: file.filename,
    kind: kindOf(file.filename),
  }));
  const retry = (): Promise<void> =>
    attempt(state, async () => {
      await jobs.retry(job.id);
      await runner.refreshLists();
    });
  const forget = (): Promise<void> =>
    attempt(state, async () => {
      await server.deleteHistory([job.id]);
      await runner.refreshLists();
    });
  return (
    <article class="history-entry" data-status={job.status}>
      {files.length > 0 && (
        <div class="thumbs" data-count={Math.min(few, shown.length)}>
          {shown.map((file, i) => (
            <button
              key={`${file.subfolder}/${file.filename}`}
              type="button"
              class="thumb"
              aria-label={t('Open {name}', { name: file.filename })}
              onClick={() => (state.lightbox.value = { images, index: i })}
            >
              <Thumbnail
                kind={kindOf(file.filename)}
                label={file.filename}
                url={thumbnailOf(parts, job, file)}
              />
            </button>
          ))}
        </div>
      )}
      {job.status !== 'completed' && (
        <p class="failure">
          {job.status === 'cancelled' ? t('Cancelled') : (job.error ?? t('Failed'))}
        </p>
      )}
      <footer>
        <JobWords
          job={job}
          now={job.duration !== null && <span>{durationText(job.duration)}</span>}
        />
        {files.length > few && (
          <button type="button" class="text" onClick={() => (open.value = !open.value)}>
            {open.value ? t('Fewer') : t('All {count}', { count: files.length })}
          </button>
        )}
        <button
          type="button"
          aria-label={t('Run again')}
          title={t('Run again')}
          onClick={() => void retry()}
        >
          <Icon name="reload" />
        </button>
        <button
          type="button"
          aria-label={t('Load this workflow')}
          title={t('Load this workflow')}
          onClick={() => void loadWorkflow(job, parts)}
        >
          <Icon name="document" />
        </button>
        <button
          type="button"
          aria-label={t('Remove from the history')}
          title={t('Remove from the history')}
          onClick={() => void forget()}
        >
          <Icon name="trash" />
        </button>
      </footer>
    </article>
  );
}

const isShown = ({ filename }: FileRef): boolean =>
  kindOf(filename) !== 'image' || /\.(png|jpe?g|webp|gif|bmp|avif)$/i.test(filename);

/** A small picture of a file, or the file itself where it is no picture. */
function thumbnailOf({ server }: AppParts, job: JobRow, file: FileRef): string {
  const { filename, subfolder = '', type = 'output' } = file;
  if (kindOf(filename) !== 'image') return server.viewUrl(file);
  const path = subfolder === '' ? filename : `${subfolder}/${filename}`;
  const query = new URLSearchParams({ path, directory: type, v: job.id });
  return server.url(`v1/outputs/thumbnail?${query.toString()}`);
}

/** Opens the drawn workflow a prompt came from, or lays out the bare prompt. */
const loadWorkflow = (job: JobRow, { editor, server, state }: AppParts): Promise<void> =>
  attempt(state, async () => {
    const entry = await server.historyOf(job.id);
    if (entry === null) throw new Error(t('This job is not in the history any more'));
    const info = isRecord(entry.extraData.extra_pnginfo) ? entry.extraData.extra_pnginfo : {};
    editor.documents.open(info.workflow ?? entry.prompt, nameOf(job));
    for (const [id, output] of Object.entries(entry.outputs)) editor.execution.executed(id, output);
  });

/** A finished job is called by its first file. */
const nameOf = ({ files, number }: JobRow): string =>
  files.find(isShown)?.filename.replace(/_?\.[^.]+$/, '') ?? `Job ${number}`;
