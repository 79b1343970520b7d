import { useEffect } from 'preact/hooks';
import { t } from '../locale/translate.ts';
import { Icon } from '../panels/icons.tsx';
import { DatasetView } from './dataset-view.tsx';
import { DatasetsView } from './datasets-view.tsx';
import { NewRunView } from './new-run-view.tsx';
import type { TrainingParts } from './parts.ts';
import { RunView } from './run-view.tsx';
import { RunsView } from './runs-view.tsx';
import { addressOf, view, type View } from './view.ts';

const tabs = [
  { page: 'runs', label: 'Runs', shows: ['runs', 'run', 'new'] },
  { page: 'datasets', label: 'Data sets', shows: ['datasets', 'dataset'] },
] as const;

/** Training: its runs, one of them, a new one, and what they learn from. */
export function TrainingPage(parts: TrainingParts) {
  const now = view.value;
  useEffect(() => {
    document.title = `${'name' in now ? now.name : t('Training')} - Noodle`;
    document.body.scrollTo(0, 0);
  }, [now]);
  return (
    <main class="training-page">
      <header class="training-bar">
        <h1>{t('Training')}</h1>
        <nav aria-label={t('Training')}>
          {tabs.map(({ page, label, shows }) => (
            <a
              key={page}
              href={addressOf({ page })}
              aria-current={(shows as readonly string[]).includes(now.page) ? 'page' : undefined}
            >
              {t(label)}
            </a>
          ))}
        </nav>
        <a class="run-link" href="./">
          <Icon name="nodes" />
          {t('Editor')}
        </a>
      </header>
      <Body parts={parts} now={now} />
    </main>
  );
}

function Body({ parts, now }: { readonly parts: TrainingParts; readonly now: View }) {
  if (now.page === 'run') return <RunView key={now.name} {...parts} name={now.name} />;
  if (now.page === 'dataset') return <DatasetView key={now.name} {...parts} name={now.name} />;
  if (now.page === 'datasets') return <DatasetsView {...parts} />;
  if (now.page === 'new') return <NewRunView {...parts} />;
  return <RunsView {...parts} />;
}
