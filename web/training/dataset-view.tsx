import { useSignal } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { t } from '../locale/translate.ts';
import { Icon } from '../panels/icons.tsx';
import { ask } from '../state.ts';
import type { DatasetItem } from './api.ts';
import { BulkChange } from './bulk-change.tsx';
import { createDatasetLive, type DatasetLive } from './dataset-live.ts';
import type { TrainingParts } from './parts.ts';
import { addressOf } from './view.ts';

/** The pictures of a data set with their captions. */
export function DatasetView(parts: TrainingParts & { readonly name: string }) {
  const { name } = parts;
  const live = useMemo(() => createDatasetLive(name, parts), [name]);
  const chooser = useRef<HTMLInputElement>(null);
  const isOver = useSignal(false);
  useEffect(() => {
    void live.read();
    const guard = (event: BeforeUnloadEvent): void => {
      if (live.captions.isSaved()) return;
      void live.captions.saveAll();
      event.preventDefault();
    };
    addEventListener('beforeunload', guard);
    return () => {
      removeEventListener('beforeunload', guard);
      void live.captions.saveAll();
    };
  }, []);
  const upload = (files: FileList | null | undefined): void => void live.upload([...(files ?? [])]);
  const total = live.total.value;
  const waiting = live.uploading.value;
  return (
    <section
      class="training-body dataset"
      aria-label={name}
      data-over={isOver.value}
      onDragOver={(e) => {
        e.preventDefault();
        isOver.value = true;
      }}
      onDragLeave={(e) => {
        if (!e.currentTarget.contains(e.relatedTarget as Node | null)) isOver.value = false;
      }}
      onDrop={(e) => {
        e.preventDefault();
        isOver.value = false;
        upload(e.dataTransfer?.files);
      }}
    >
      <header class="run-head">
        <a
          class="run-link"
          href={addressOf({ page: 'datasets' })}
          aria-label={t('All data sets')}
          title={t('All data sets')}
        >
          <Icon name="back" />
        </a>
        <h2>{name}</h2>
        {total !== null && <small role="status">{t('{count} pictures', { count: total })}</small>}
        <span class="grow" />
        <div class="training-actions">
          <button
            type="button"
            class="training-button"
            disabled={waiting > 0}
            onClick={() => chooser.current?.click()}
          >
            <Icon name="plus" />
            {waiting > 0
              ? t('{count} pictures on their way', { count: waiting })
              : t('Add pictures')}
          </button>
        </div>
        <input
          ref={chooser}
          type="file"
          hidden
          multiple
          accept="image/png,image/jpeg,image/webp,.txt"
          aria-label={t('Add pictures')}
          onChange={(e) => {
            upload(e.currentTarget.files);
            e.currentTarget.value = '';
          }}
        />
      </header>
      {live.problem.value !== '' && (
        <p class="form-error" role="alert">
          {live.problem.value}
        </p>
      )}
      {total === 0 && (
        <p class="empty run-nothing">
          <Icon name="image" />
          {t('Drop pictures here: PNG, JPEG or WebP.')}
        </p>
      )}
      {total !== null && total > 0 && <BulkChange live={live} />}
      <ul class="dataset-grid">
        {live.items.value.map((item) => (
          <Item key={item.filename} item={item} live={live} parts={parts} />
        ))}
      </ul>
      {total !== null && live.items.value.length < total && (
        <button type="button" class="run-secondary" onClick={() => void live.showMore()}>
          {t('Show more')}
        </button>
      )}
    </section>
  );
}

interface ItemParts {
  readonly item: DatasetItem;
  readonly live: DatasetLive;
  readonly parts: TrainingParts;
}

function Item({ item, live, parts }: ItemParts) {
  const { state } = parts;
  const { filename } = item;
  const caption = live.captions.of(item);
  const remove = async (): Promise<void> => {
    const answer = await ask(state, {
      title: t('Delete {name}?', { name: filename }),
      text: t('The picture and its caption are deleted. This cannot be undone.'),
      confirm: t('Delete'),
      danger: true,
    });
    if (answer !== null) await live.remove(item);
  };
  const open = (): void => {
    const list = live.items.value;
    state.lightbox.value = {
      images: list.map((each) => ({ url: each.url.slice(1), label: each.filename })),
      index: list.indexOf(item),
    };
  };
  return (
    <li data-state={caption.state.value}>
      <button
        type="button"
        class="dataset-picture"
        aria-label={t('Open {name}', { name: filename })}
        onClick={open}
      >
        <img src={item.thumbnail_url.slice(1)} alt="" loading="lazy" />
      </button>
      <div class="dataset-name">
        <span title={filename}>{filename}</span>
        <button
          type="button"
          aria-label={t('Delete {name}', { name: filename })}
          title={t('Delete {name}', { name: filename })}
          onClick={() => void remove()}
        >
          <Icon name="trash" />
        </button>
      </div>
      <textarea
        rows={4}
        aria-label={t('Caption of {name}', { name: filename })}
        placeholder={t('No caption')}
        value={caption.text.value}
        onInput={(e) => caption.set(e.currentTarget.value)}
        onBlur={() => void caption.save()}
      />
      <small role="status">
        {caption.state.value === 'failed' && (
          <span class="form-error">
            {t('Not saved, it is tried again: {why}', { why: caption.problem.value })}
          </span>
        )}
        {caption.state.value === 'changed' && t('Not saved yet')}
        {caption.state.value === 'saving' && t('Saving')}
      </small>
    </li>
  );
}
