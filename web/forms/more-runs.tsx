import { useSignal } from '@preact/signals';
import type { FormField } from '../../engine/workflow/form/form.ts';
import { t } from '../locale/translate.ts';
import { toast } from '../state.ts';
import type { FormPageParts } from './parts.ts';
import { startRuns, startSome } from './start-runs.ts';
import { gridRuns, listedValues, MOST_RUNS, tableRuns, type Planned } from './variations.ts';

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
      <p class="soft">{t('Each has another seed, where the seed is new for every run.')}</p>
      <button
        type="button"
        class="run-secondary"
        disabled={!(count.value >= 1 && count.value <= MOST_RUNS)}
        onClick={() => void startSome(parts, Math.round(count.value))}
      >
        {t('Run {count}', { count: count.value })}
      </button>
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
  const start = (): void => {
    if (columns === null) return;
    // One seed for all: what differs in a grid is what the grid is about.
    const base = parts.model.value.next();
    const title = [columns.field.label, ...(rows === null ? [] : [rows.field.label])].join(' × ');
    void startRuns(parts, gridRuns(base, columns, rows), title, columns.values.length);
  };
  return (
    <div class="more-body">
      <AxisField title={t('Across')} axis={across} choices={choices} />
      <AxisField title={t('Down')} axis={down} choices={choices} />
      <button
        type="button"
        class="run-secondary"
        disabled={count === 0 || count > MOST_RUNS}
        onClick={start}
      >
        {t('Run {count}', { count })}
      </button>
    </div>
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
  const isText = field?.kind === 'longtext' || field?.kind === 'text';
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
  const plan = (): { readonly runs: readonly Planned[]; readonly unknown: readonly string[] } => {
    const base = parts.model.value.values.value;
    const first = text.value.split('\n', 1)[0] ?? '';
    const isTable = tableRuns(base, fields, first).unknown.length === 0 && first.trim() !== '';
    if (isTable) return tableRuns(base, fields, text.value);
    const lines = prompt === undefined ? [] : listedValues(prompt, text.value);
    const runs = lines.map((line) => ({
      values: { ...base, [prompt!.key]: line },
      label: String(line),
    }));
    return { runs, unknown: [] };
  };
  const { runs } = plan();
  const start = (): void => {
    if (runs.length > MOST_RUNS) {
      toast(parts.state, t('At most {count} runs at once', { count: MOST_RUNS }), 'error');
      return;
    }
    void startRuns(parts, withSeeds(parts, runs), t('List of {count}', { count: runs.length }));
  };
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
      <button type="button" class="run-secondary" disabled={runs.length === 0} onClick={start}>
        {t('Run {count}', { count: runs.length })}
      </button>
    </div>
  );
}

/** Each run with seeds of its own, where they are drawn and the table does not give them. */
function withSeeds({ model }: FormPageParts, runs: readonly Planned[]): Planned[] {
  const { drawn, values } = model.value;
  return runs.map((run) => {
    const before = values.value;
    const fresh = model.value.next();
    const seeds = [...drawn.value].filter((key) => run.values[key] === before[key]);
    return {
      ...run,
      values: { ...run.values, ...Object.fromEntries(seeds.map((key) => [key, fresh[key]])) },
    };
  });
}
