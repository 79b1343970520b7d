import { useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import type { LogEntry } from '../../engine/protocol.ts';
import { t } from '../locale/translate.ts';
import { describeDevice } from '../panels/devices.tsx';
import { Icon } from '../panels/icons.tsx';
import type { AppParts } from '../panels/parts.ts';
import { SearchField } from '../panels/search-field.tsx';
import { logIsOpen } from './log-is-open.ts';
import '../style/log.css';

const lineCount = 1000;

/** What the server writes into its log, live, and the devices it computes on. */
export function LogPanel({ server, state, feed }: AppParts) {
  const entries = useSignal<readonly LogEntry[]>([]);
  const text = useSignal('');
  const isOpen = state.connection.value === 'open';
  useEffect(() => {
    if (!isOpen) return undefined;
    // First the news, then what was before them: nothing is missed.
    const stop = feed.onMessage(({ type, data }) => {
      if (type === 'logs') entries.value = [...entries.value, ...data.entries].slice(-lineCount);
    });
    const follow = async (): Promise<void> => {
      await server.followLog(feed.clientId, true);
      const before = await server.log();
      const isNew = ({ t: time, m }: LogEntry): boolean =>
        !before.some((entry) => entry.t === time && entry.m === m);
      entries.value = [...before, ...entries.value.filter(isNew)];
    };
    void follow().catch(() => undefined); // The connection mark already says that the server is away.
    return () => {
      stop();
      void server.followLog(feed.clientId, false).catch(() => undefined);
    };
  }, [isOpen]);
  const words = text.value.toLowerCase();
  const shown = entries.value.filter(({ m }) => m.toLowerCase().includes(words));
  return (
    <section class="log-panel" aria-label={t('Log and devices')}>
      <header>
        <h2>{t('Log')}</h2>
        <SearchField text={text} label={t('Filter the log')} placeholder={t('Filter')} />
        <span class="grow" />
        <span class="log-devices">
          {state.devices.value.map((device) => (
            <span key={device.id} title={describeDevice(device)}>
              {device.name}
              <meter min={0} max={device.budget} value={device.used}>
                {describeDevice(device)}
              </meter>
              <small>{describeDevice(device)}</small>
            </span>
          ))}
        </span>
        <button
          type="button"
          class="text"
          onClick={() => void navigator.clipboard.writeText(shown.map(({ m }) => m).join(''))}
        >
          {t('Copy')}
        </button>
        <button
          type="button"
          aria-label={t('Close the log')}
          title={t('Close')}
          onClick={() => (logIsOpen.value = false)}
        >
          <Icon name="clear" />
        </button>
      </header>
      <Lines entries={shown} />
    </section>
  );
}

/** Lines of the log; the end stays in sight while one looks at the end. */
function Lines({ entries }: { entries: readonly LogEntry[] }) {
  const box = useRef<HTMLDivElement>(null);
  const isAtEnd = useRef(true);
  useLayoutEffect(() => {
    const element = box.current;
    if (element !== null && isAtEnd.current) element.scrollTop = element.scrollHeight;
  }, [entries]);
  return (
    <div
      ref={box}
      class="log-lines"
      role="log"
      tabIndex={0}
      aria-label={t('Log')}
      onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
        isAtEnd.current = scrollTop + clientHeight > scrollHeight - 8;
      }}
    >
      {entries.map(({ t: time, m }, i) => (
        <div key={`${time}-${i}`} data-level={levelOf(m)}>
          <time>{time.slice(11, 19)}</time>
          {m.trimEnd()}
        </div>
      ))}
      {entries.length === 0 && <p class="empty">{t('No line.')}</p>}
    </div>
  );
}

const levelOf = (line: string): string | undefined =>
  /\b(ERROR|CRITICAL|WARNING)\b/.exec(line)?.[1];
