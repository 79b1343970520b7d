import { type Signal, useSignal } from '@preact/signals';
import { t } from '../locale/translate.ts';
import type { DatasetLive } from './dataset-live.ts';

/** A change of all captions: words before and behind, words put in the place of others. */
export function BulkChange({ live }: { readonly live: DatasetLive }) {
  const [prepend, append, find, replace] = [
    useSignal(''),
    useSignal(''),
    useSignal(''),
    useSignal(''),
  ];
  const isBusy = useSignal(false);
  const isEmpty = prepend.value === '' && append.value === '' && find.value === '';
  const change = async (): Promise<void> => {
    isBusy.value = true;
    await live.change({
      prepend: prepend.value,
      append: append.value,
      find: find.value,
      replace: replace.value,
    });
    isBusy.value = false;
  };
  return (
    <details class="bulk-change">
      <summary>{t('Change all captions')}</summary>
      <form
        onSubmit={(e) => {
          e.preventDefault();
          if (!isEmpty && !isBusy.value) void change();
        }}
      >
        <Words label={t('Put before')} text={prepend} placeholder={t('a trigger word')} />
        <Words label={t('Put behind')} text={append} />
        <Words label={t('Find')} text={find} />
        <Words label={t('Replace by')} text={replace} />
        <button type="submit" class="run-secondary" disabled={isEmpty || isBusy.value}>
          {t('Change')}
        </button>
      </form>
    </details>
  );
}

interface WordsParts {
  readonly label: string;
  readonly text: Signal<string>;
  readonly placeholder?: string;
}

const Words = ({ label, text, placeholder }: WordsParts) => (
  <label class="form-field">
    <span>{label}</span>
    <input
      type="text"
      placeholder={placeholder}
      value={text.value}
      onInput={(e) => (text.value = e.currentTarget.value)}
    />
  </label>
);
