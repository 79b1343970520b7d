import type { AppParts } from './parts.ts';
import { Icon } from './icons.tsx';
import { WorkflowTabs } from './tabs.tsx';

/** The open workflows, file actions, what runs now, and the queue button. */
export function TopBar(parts: AppParts) {
  const { editor, runner, files, state } = parts;
  const running = state.running.value;
  const waiting = state.queueRemaining.value;
  return (
    <header class="top-bar">
      <div class="brand">
        <svg viewBox="0 0 32 32" aria-hidden="true">
          <path d="M6 21c3.2 0 3.2-10 6.6-10s3.4 10 6.8 10 3.2-10 6.6-10" />
        </svg>
        <span>Noodle</span>
      </div>
      <WorkflowTabs {...parts} />
      <nav class="tools" aria-label="Workflow">
        <button
          type="button"
          title="Open (Ctrl O)"
          aria-label="Open a workflow file"
          onClick={() => files.choose()}
        >
          <Icon name="folder" />
        </button>
        <button
          type="button"
          title="Save (Ctrl S)"
          aria-label="Save"
          onClick={() => void files.save()}
        >
          <Icon name="save" />
        </button>
        <button
          type="button"
          title="Download as JSON"
          aria-label="Download as JSON"
          onClick={() => files.download()}
        >
          <Icon name="download" />
        </button>
        <span class="divider" />
        <button
          type="button"
          title="Undo (Ctrl Z)"
          aria-label="Undo"
          onClick={() => editor.documents.undoStep('undo')}
        >
          <Icon name="undo" />
        </button>
        <button
          type="button"
          title="Redo (Ctrl Y)"
          aria-label="Redo"
          onClick={() => editor.documents.undoStep('redo')}
        >
          <Icon name="redo" />
        </button>
      </nav>

      <div class="run-status" role="status" aria-live="polite">
        {running !== null ? (
          <>
            <span class="run-title">{running.title}</span>
            {running.part !== null && (
              <span class="run-part">{Math.round(running.part * 100)}%</span>
            )}
          </>
        ) : (
          <ConnectionMark state={state.connection.value} />
        )}
      </div>

      <div class="queue-controls">
        <button
          type="button"
          class="quiet"
          title="Cancel the running prompt (Ctrl Alt Enter)"
          aria-label="Cancel the running prompt"
          disabled={running === null && waiting === 0}
          onClick={() => runner.cancel()}
        >
          <Icon name="stop" />
        </button>
        <label class="batch" title="How many times to queue">
          <span class="visually-hidden">Batch count</span>
          <input
            type="number"
            min={1}
            max={100}
            value={state.batchCount.value}
            onInput={(event) => {
              const count = Number(event.currentTarget.value);
              state.batchCount.value = Math.min(100, Math.max(1, Math.round(count) || 1));
            }}
          />
        </label>
        <button
          type="button"
          class="queue-button"
          title="Queue (Ctrl Enter)"
          onClick={() => void runner.queue()}
        >
          <Icon name="play" />
          Queue
          {waiting > 0 && <b aria-label={`${waiting} in the queue`}>{waiting}</b>}
        </button>
      </div>
      <div
        class="global-progress"
        role="progressbar"
        aria-label="Progress of the running node"
        aria-valuenow={Math.round((running?.part ?? 0) * 100)}
        style={{ '--part': running?.part ?? (running === null ? 0 : 0.02) }}
        data-active={running !== null}
      />
    </header>
  );
}

function ConnectionMark({ state }: { state: 'connecting' | 'open' | 'lost' }) {
  if (state === 'open') return null;
  return (
    <span class="connection" data-state={state}>
      {state === 'lost' ? 'Connection lost, trying again' : 'Connecting'}
    </span>
  );
}
