import { useEffect } from 'preact/hooks';
import { t } from '../locale/translate.ts';
import { Icon } from '../panels/icons.tsx';
import type { AppParts } from '../panels/parts.ts';
import { startAutoQueue } from './auto-queue.ts';
import { queueMode, queueModes, type QueueMode } from './queue-mode.ts';

const modeLabels: Readonly<Record<QueueMode, string>> = {
  once: 'Queue by hand',
  change: 'Queue on change',
  instant: 'Queue again and again',
};
const buttonLabels: Readonly<Record<QueueMode, string>> = {
  once: 'Queue',
  change: 'On change',
  instant: 'Instant',
};

/** Queueing and stopping in one cluster: the button, its modes, how often, and what waits. */
export function QueueControls(parts: AppParts) {
  const { runner, state } = parts;
  useEffect(() => startAutoQueue(parts), []);
  const mode = queueMode.value;
  const isBusy = state.running.value !== null || state.queueRemaining.value > 0;
  const openModes = (event: MouseEvent): void => {
    const { right, bottom } = (event.currentTarget as HTMLElement).getBoundingClientRect();
    state.menu.value = {
      label: t('Ways to queue'),
      x: right - 180,
      y: bottom + 6,
      items: [
        ...queueModes.map((each) => ({
          label: `${each === mode ? '✓ ' : ''}${t(modeLabels[each])}`,
          run: () => {
            queueMode.value = each;
          },
        })),
        null,
        { label: t('Queue in front'), run: () => void runner.queue({ front: true }) },
        { label: t('Run selected outputs only'), run: () => void runner.queueSelected() },
      ],
    };
  };
  return (
    <div class="queue-controls" role="group" aria-label={t('Queue')}>
      <div class="queue-cluster" data-mode={mode}>
        <button
          type="button"
          class="queue-button"
          title={`${t('Queue the workflow')} (Ctrl Enter)`}
          onClick={() => void runner.queue()}
        >
          <Icon name="play" />
          {t(buttonLabels[mode])}
        </button>
        <button
          type="button"
          class="queue-more"
          aria-haspopup="menu"
          title={t('Ways to queue')}
          aria-label={t('Ways to queue')}
          onClick={openModes}
        >
          <Icon name="chevron" />
        </button>
        <BatchCount {...parts} />
      </div>
      <button
        type="button"
        class="stop-button"
        title={`${t('Cancel the running prompt')} (Ctrl Alt Enter)`}
        disabled={!isBusy}
        onClick={() => runner.cancel()}
      >
        <Icon name="stop" />
        {t('Stop')}
      </button>
      <Waiting {...parts} />
    </div>
  );
}

function BatchCount({ state }: AppParts) {
  return (
    <label class="batch" title={t('How many times to queue')}>
      <span aria-hidden="true">×</span>
      <span class="visually-hidden">{t('Batch count')}</span>
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
  );
}

/** How many jobs wait; opens the list of them. */
function Waiting({ state }: AppParts) {
  const waiting = Math.max(0, state.queueRemaining.value - (state.running.value === null ? 0 : 1));
  const { paused } = state.queue.value;
  return (
    <button
      type="button"
      class="waiting"
      data-paused={paused}
      data-none={waiting === 0 && !paused}
      onClick={() => {
        state.sidePanel.value = state.sidePanel.value === 'queue' ? null : 'queue';
      }}
    >
      {paused
        ? t('Paused, {count} waiting', { count: waiting })
        : t('{count} waiting', { count: waiting })}
    </button>
  );
}
