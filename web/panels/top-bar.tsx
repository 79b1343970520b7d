import type { AppParts } from './parts.ts';
import { Icon } from './icons.tsx';
import { QueueControls } from '../queue/queue-controls.tsx';
import { RunStatus } from '../queue/run-status.tsx';
import { WorkflowTabs } from './tabs.tsx';

/** The open workflows, file actions, what runs now, and the queue button. */
export function TopBar(parts: AppParts) {
  const { editor, files, state } = parts;
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

      <RunStatus state={state} />
      <QueueControls {...parts} />
    </header>
  );
}
