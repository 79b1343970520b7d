import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { t } from '../locale/translate.ts';
import { Icon } from '../panels/icons.tsx';
import { ask, toast } from '../state.ts';
import { messageOf } from '../text.ts';
import type { Dataset } from './api.ts';
import type { TrainingParts } from './parts.ts';
import { addressOf, show } from './view.ts';

/** All data sets, and the way to a new one. */
export function DatasetsView({ api, state }: TrainingParts) {
  const datasets = useSignal<readonly Dataset[] | null>(null);
  const problem = useSignal('');
  useEffect(() => {
    api
      .datasets()
      .then((list) => (datasets.value = list))
      .catch((error: unknown) => (problem.value = messageOf(error)));
  }, []);
  const create = async (): Promise<void> => {
    const name = await ask(state, {
      title: t('Name of the data set'),
      confirm: t('Make it'),
      field: '',
    });
    if (name === null || name === '') return;
    try {
      await api.createDataset(name);
      show({ page: 'dataset', name });
    } catch (error) {
      toast(state, messageOf(error), 'error');
    }
  };
  return (
    <section class="training-body" aria-label={t('Data sets')}>
      <div class="training-actions">
        <button type="button" class="training-button" onClick={() => void create()}>
          <Icon name="plus" />
          {t('New data set')}
        </button>
      </div>
      {problem.value !== '' && (
        <p class="form-error" role="alert">
          {problem.value}
        </p>
      )}
      {datasets.value?.length === 0 && (
        <p class="empty run-nothing">
          <Icon name="gallery" />
          {t('A data set is a folder of pictures, each with a caption that says what it shows.')}
        </p>
      )}
      <ul class="run-cards">
        {(datasets.value ?? []).map(({ name, pictures, captions, picture }) => (
          <li key={name}>
            <a href={addressOf({ page: 'dataset', name })}>
              <span class="run-card-picture">
                {picture === null ? (
                  <Icon name="image" />
                ) : (
                  <img src={picture.slice(1)} alt="" loading="lazy" />
                )}
              </span>
              <strong>{name}</strong>
              <small>{t('{pictures} pictures, {captions} captions', { pictures, captions })}</small>
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}
