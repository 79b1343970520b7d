import { useSignal } from '@preact/signals';
import type { FormField } from '../../engine/workflow/form/form.ts';
import {
  fieldTitled,
  isWords,
  listedValues,
  MOST_RUNS,
  readCsv,
} from '../../engine/workflow/form/read-value.ts';
import { t } from '../locale/translate.ts';
import type { BatchWish } from './api.ts';
import type { FormPageParts } from './parts.ts';
import { oneSeed, seedsOf, startMany } from './start-runs.ts';

const ways = ['several', 'grid', 'list'] as const;
const wayNames = { several: 'Several', grid: 'Grid', list: 'List' } as const;

/** More than one run at once: with other seeds, over the values of two fields, or over a table. */
export function MoreRuns(parts: FormPageParts) {
  const way = useSignal<(typeof ways)[number]>('several');
  return (
    <details class="more-runs">
      <summary>{t('More than one')}</summary>
      <div class="more-ways" role="group" aria-label={t('How to vary')}>
        {ways.map((each) => (
          <button
            key={each}
            type="button"
            aria-pressed={way.value === each}
            onClick={() => (way.value = each)}
          >
            {t(wayNames[each])}
          </button>
        ))}
      </div>
      {way.value === 'several' && <Several {...parts} />}
      {way.value === 'grid' && <Grid {...parts} />}
      {way.value === 'list' && <List {...parts} />}
    </details>
  );
}

function Several(parts: FormPageParts) {
  const count = useSignal(4);
  const start = (): Promise<void> =>
    startMany(parts, { count: Math.round(count.value) }, seedsOf(parts.model.value, 'increment'));
  return (
    <div class="more-body">
      <label>
        {t('How many')}
        <input
          type="number"
          min={2}
          max={MOST_RUNS}
          value={count.value}
          onInput={(e) => (count.value = Number(e.currentTarget.value))}
        />
      </label>
      <p class="soft">
        {t('Each has another seed: drawn where it is new for every run, else one more.')}
      </p>
      <RunMany count={Math.round(count.value)} start={start} />
    </div>
  );
}

function Grid(parts: FormPageParts) {
  const { fields } = parts.form.value;
  const choices = fields.filter(({ kind }) => kind !== 'mask');
  const [across, down] = [useAxis(choices), useAxis(choices)];
  const columns = across.read();
  const rows = down.read();
  const count = columns === null ? 0 : columns.values.length * (rows?.values.length ?? 1);
  const start = (): Promise<void> => {
    // The last changes quickest: it runs along the rows.
    const vary = [rows, columns]
      .filter((axis) => axis !== null)
      .map(({ field, values }) => ({ field: field.key, values }));
    // One seed for all: what differs in a grid is what the grid is about.
    return startMany(parts, { vary }, oneSeed(parts.model.value));
  };
  return (
    <div class="more-body">
      <AxisField title={t('Across')} axis={across} choices={choices} />
      <AxisField title={t('Down')} axis={down} choices={choices} />
      <RunMany count={count} start={start} />
    </div>
  );
}

/** The button that starts them, and why it does not where they are too many. */
function RunMany({
  count,
  start,
}: {
  readonly count: number;
  readonly start: () => Promise<void>;
}) {
  const isStarting = useSignal(false);
  const press = (): void => {
    isStarting.value = true;
    void start().finally(() => (isStarting.value = false));
  };
  return (
    <>
      {count > MOST_RUNS && (
        <p class="form-error" role="alert">
          {t('At most {count} runs at once', { count: MOST_RUNS })}
        </p>
      )}
      <button
        type="button"
        class="run-secondary"
        disabled={!(count >= 1 && count <= MOST_RUNS) || isStarting.value}
        onClick={press}
      >
        {t('Run {count}', { count: Number.isFinite(count) ? count : 0 })}
      </button>
    </>
  );
}

function useAxis(choices: readonly FormField[]) {
  const key = useSignal('');
  const text = useSignal('');
  const field = (): FormField | undefined => choices.find((each) => each.key === key.value);
  return {
    key,
    text,
    field,
    read: () => {
      const chosen = field();
      const values = chosen === undefined ? [] : listedValues(chosen, text.value);
      return chosen === undefined || values.length === 0 ? null : { field: chosen, values };
    },
  };
}

function AxisField(props: {
  readonly title: string;
  readonly axis: ReturnType<typeof useAxis>;
  readonly choices: readonly FormField[];
}) {
  const { title, axis, choices } = props;
  const field = axis.field();
  const isText = field !== undefined && isWords(field);
  const choose = (key: string): void => {
    axis.key.value = key;
    const options = axis.field()?.options;
    if (options) axis.text.value = options.slice(0, 4).join(', ');
  };
  return (
    <fieldset class="more-axis">
      <legend>{title}</legend>
      <select
        aria-label={t('{axis}: field', { axis: title })}
        value={axis.key.value}
        onChange={(e) => choose(e.currentTarget.value)}
      >
        <option value="">{t('Nothing')}</option>
        {choices.map(({ key, label }) => (
          <option key={key} value={key}>
            {t(label)}
          </option>
        ))}
      </select>
      <textarea
        aria-label={t('{axis}: values', { axis: title })}
        rows={2}
        placeholder={isText ? t('One a line') : t('10, 20, 30 or 10..30..5')}
        value={axis.text.value}
        onInput={(e) => (axis.text.value = e.currentTarget.value)}
      />
    </fieldset>
  );
}

function List(parts: FormPageParts) {
  const { fields } = parts.form.value;
  const prompt = fields.find(({ kind, hidden }) => kind === 'longtext' && !hidden);
  const text = useSignal('');
  const { count, wish } = plannedList(text.value, fields, prompt);
  const start = (): Promise<void> => startMany(parts, wish, seedsOf(parts.model.value, 'fixed'));
  return (
    <div class="more-body">
      <textarea
        aria-label={t('Lines of the list')}
        rows={5}
        placeholder={t('A prompt a line, or a table whose first line names fields')}
        value={text.value}
        onInput={(e) => (text.value = e.currentTarget.value)}
      />
      <label class="more-file">
        {t('From a CSV file')}
        <input
          type="file"
          accept=".csv,.tsv,.txt,text/csv,text/plain"
          onChange={(e) => {
            const file = e.currentTarget.files?.[0];
            if (file) void file.text().then((read) => (text.value = read));
          }}
        />
      </label>
      <RunMany count={count} start={start} />
    </div>
  );
}

/** A table where the first line names fields, else a prompt a line. */
function plannedList(
  text: string,
  fields: readonly FormField[],
  prompt: FormField | undefined,
): { readonly count: number; readonly wish: Pick<BatchWish, 'vary' | 'csv'> } {
  const lines = readCsv(text);
  const head = lines[0]?.cells ?? [];
  if (head.length > 0 && head.every((title) => fieldTitled(fields, title) !== undefined)) {
    return { count: lines.length - 1, wish: { csv: text } };
  }
  const values = prompt === undefined ? [] : listedValues(prompt, text);
  if (prompt === undefined || values.length === 0) return { count: 0, wish: {} };
  return { count: values.length, wish: { vary: [{ field: prompt.key, values }] } };
}
