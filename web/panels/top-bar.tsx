import type { AppParts } from './parts.ts';
import { t } from '../locale/translate.ts';
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
      <nav class="tools" aria-label={t('Workflow')}>
        <button
          type="button"
          title={`${t('Open a file')} (Ctrl O)`}
          aria-label={t('Open a workflow file')}
          onClick={() => files.choose()}
        >
          <Icon name="folder" />
        </button>
        <button
          type="button"
          title={`${t('Save')} (Ctrl S)`}
          aria-label={t('Save')}
          onClick={() => void files.save()}
        >
          <Icon name="save" />
        </button>
        <button
          type="button"
          title={t('Download as JSON')}
          aria-label={t('Download as JSON')}
          onClick={() => files.download()}
        >
          <Icon name="download" />
        </button>
        <span class="divider" />
        <button
          type="button"
          title={`${t('Undo')} (Ctrl Z)`}
          aria-label={t('Undo')}
          onClick={() => editor.documents.undoStep('undo')}
        >
          <Icon name="undo" />
        </button>
        <button
          type="button"
          title={`${t('Redo')} (Ctrl Y)`}
          aria-label={t('Redo')}
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
