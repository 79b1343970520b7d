import { t } from '../locale/translate.ts';
import type { State } from '../state.ts';

/** What runs and how far it is; that the server is away counts more than anything else. */
export function RunStatus({ state }: { state: State }) {
  const running = state.running.value;
  const connection = state.connection.value;
  if (connection !== 'open') {
    return (
      <div class="run-status" role="status" aria-live="polite">
        <span class="connection" data-state={connection}>
          {connection === 'lost' ? t('Connection lost, trying again') : t('Connecting')}
        </span>
      </div>
    );
  }
  return (
    <div class="run-status" role="status" aria-live="polite">
      {running !== null && (
        <div class="run-now">
          <span class="run-title">{running.title}</span>
          {running.part !== null && <span class="run-part">{Math.round(running.part * 100)}%</span>}
          <div
            class="run-progress"
            role="progressbar"
            aria-label={t('Progress of the running node')}
            aria-valuenow={Math.round((running.part ?? 0) * 100)}
            style={{ '--part': running.part ?? 0.02 }}
          />
        </div>
      )}
    </div>
  );
}
