import { useSignal } from '@preact/signals';
import type { FileRef, HistoryEntry, QueueItem } from '../api/types.ts';
import { imageFiles } from '../graph/execution-view.ts';
import { isRecord } from '../graph/input-spec.ts';
import { ask, toast } from '../state.ts';
import { messageOf } from '../text.ts';
import type { AppParts } from './parts.ts';
import { Icon } from './icons.tsx';
import { SidePanel } from './side-panel.tsx';

/** What runs, what waits and what was made, with pictures. */
export function QueuePanel(parts: AppParts) {
  const { runner, state } = parts;
  const { running, pending } = state.queue.value;
  const history = state.history.value;
  return (
    <SidePanel
      title="Queue"
      state={state}
      actions={
        <>
          {pending.length > 0 && (
            <button type="button" class="text" onClick={() => void runner.clearQueue()}>
              Clear queue
            </button>
          )}
          {history.length > 0 && (
            <button type="button" class="text" onClick={() => void clearHistory(parts)}>
              Clear history
            </button>
          )}
        </>
      }
    >
      {running.map((item) => (
        <WaitingRow key={item.promptId} item={item} parts={parts} active />
      ))}
      {pending.map((item) => (
        <WaitingRow key={item.promptId} item={item} parts={parts} active={false} />
      ))}
      {history.map((entry) => (
        <HistoryRow key={entry.promptId} entry={entry} parts={parts} />
      ))}
      {running.length + pending.length + history.length === 0 && (
        <p class="empty">Nothing yet. Press Queue, or Ctrl Enter.</p>
      )}
    </SidePanel>
  );
}

function WaitingRow({
  item,
  parts,
  active,
}: {
  item: QueueItem;
  parts: AppParts;
  active: boolean;
}) {
  const { runner, server, state } = parts;
  const remove = (): void => {
    if (active) runner.cancel();
    else void server.deleteQueued([item.promptId]).then(() => runner.refreshLists());
  };
  return (
    <div class="queue-row" data-active={active}>
      <span class="queue-mark" />
      <span class="grow">
        {active ? (state.running.value?.title ?? 'Running') : 'Waiting'}
        <small>{Object.keys(item.prompt).length} nodes</small>
      </span>
      <button
        type="button"
        aria-label={active ? 'Cancel' : 'Remove from the queue'}
        title={active ? 'Cancel' : 'Remove'}
        onClick={remove}
      >
        <Icon name="clear" />
      </button>
    </div>
  );
}

function HistoryRow({ entry, parts }: { entry: HistoryEntry; parts: AppParts }) {
  const { runner, server, state } = parts;
  const open = useSignal(false);
  const pictures: FileRef[] = Object.values(entry.outputs).flatMap(imageFiles);
  const shown = open.value ? pictures : pictures.slice(0, 4);
  const view = (index: number): void => {
    state.lightbox.value = {
      images: pictures.map((file) => ({ url: server.viewUrl(file), label: file.filename })),
      index,
    };
  };
  return (
    <article class="history-entry" data-status={entry.status}>
      {pictures.length > 0 && (
        <div class="thumbs" data-count={Math.min(4, shown.length)}>
          {shown.map((file, i) => (
            <button
              key={file.filename}
              type="button"
              class="thumb"
              aria-label={`Open ${file.filename}`}
              onClick={() => view(i)}
            >
              <img src={server.viewUrl(file, 'webp;80')} alt={file.filename} loading="lazy" />
            </button>
          ))}
        </div>
      )}
      {entry.status !== 'success' && (
        <p class="failure">
          {entry.status === 'interrupted' ? 'Cancelled' : (entry.errorMessage ?? 'Failed')}
        </p>
      )}
      <footer>
        <span class="grow">
          {pictures.length === 1 ? pictures[0].filename : `${pictures.length} pictures`}
          {entry.duration !== null && <small>{seconds(entry.duration)}</small>}
        </span>
        {pictures.length > 4 && (
          <button type="button" class="text" onClick={() => (open.value = !open.value)}>
            {open.value ? 'Fewer' : `All ${pictures.length}`}
          </button>
        )}
        <button
          type="button"
          aria-label="Load this workflow"
          title="Load this workflow"
          onClick={() => loadEntry(entry, parts)}
        >
          <Icon name="reload" />
        </button>
        <button
          type="button"
          aria-label="Remove from the history"
          title="Remove"
          onClick={() =>
            void server.deleteHistory([entry.promptId]).then(() => runner.refreshLists())
          }
        >
          <Icon name="trash" />
        </button>
      </footer>
    </article>
  );
}

/** Forgets all jobs on the server, after asking: what made the pictures is lost with them. */
async function clearHistory({ runner, server, state }: AppParts): Promise<void> {
  const answer = await ask(state, {
    title: 'Clear the history?',
    text: 'All finished jobs go from this list, for every window. Their pictures stay in the output folder.',
    confirm: 'Clear history',
    danger: true,
  });
  if (answer === null) return;
  await server.clearHistory();
  await runner.refreshLists();
}

/** Opens the drawn workflow a prompt came from, or lays out the bare prompt. */
function loadEntry(entry: HistoryEntry, { editor, state }: AppParts): void {
  const info = isRecord(entry.extraData.extra_pnginfo) ? entry.extraData.extra_pnginfo : {};
  try {
    editor.documents.open(info.workflow ?? entry.prompt, nameOf(entry));
    for (const [id, output] of Object.entries(entry.outputs)) editor.execution.executed(id, output);
  } catch (error) {
    toast(state, messageOf(error), 'error');
  }
}

/** A finished job is called by its first picture. */
function nameOf({ outputs, number }: HistoryEntry): string {
  const [picture] = Object.values(outputs).flatMap(imageFiles);
  return picture?.filename.replace(/_?\.[^.]+$/, '') ?? `Job ${number}`;
}

const seconds = (ms: number): string =>
  ms < 60_000
    ? `${(ms / 1000).toFixed(1)} s`
    : `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
