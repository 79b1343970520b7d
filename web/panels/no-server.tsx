import { useEffect } from 'preact/hooks';
import { t } from '../locale/translate.ts';

/** Milliseconds until the server is asked again by itself. */
const pause = 3000;

/** The page while the server does not answer. */
export function NoServer({ why, retry }: { why: string; retry: () => void }) {
  useEffect(() => {
    const timer = setTimeout(retry, pause);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div class="no-server" role="alert">
      <h2>{t('The server does not answer')}</h2>
      <p class="soft">{why}</p>
      <button type="button" onClick={retry}>
        {t('Try again')}
      </button>
    </div>
  );
}
