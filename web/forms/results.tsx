import { isWords } from '../../engine/workflow/form/read-value.ts';
import { t } from '../locale/translate.ts';
import { Icon } from '../panels/icons.tsx';
import type { JobOutput } from './api.ts';
import type { FormPageParts } from './parts.ts';
import { type Batch, isOpen, type Run } from './runs.ts';
import { starting, startOne } from './start-runs.ts';

/** What the form made: runs of this visit first, batches together, then earlier ones. */
export function Results(parts: FormPageParts) {
  const { runs, connected } = parts;
  const all = runs.runs.value;
  const batches = runs.batches.value.filter((batch) => batch.runs.some((id) => all.has(id)));
  const inBatch = new Set(batches.flatMap((batch) => batch.runs));
  const earlier = [...all.values()]
    .filter(({ id }) => !inBatch.has(id))
    .sort((a, b) => (a.created < b.created ? 1 : -1));
  return (
    <section class="run-results" aria-label={t('Results')}>
      <p class="visually-hidden" role="status" aria-live="polite">
        {progressText([...all.values()])}
      </p>
      {!connected.value && <p class="run-lost">{t('Connection lost, trying again')}</p>}
      {all.size === 0 && (
        <p class="empty run-nothing">
          <Icon name="image" />
          {t('What you make appears here.')}
        </p>
      )}
      {batches.map((batch) => (
        <BatchView key={batch.id} batch={batch} parts={parts} />
      ))}
      {earlier.length > 0 && (
        <>
          <h2>{t('Earlier')}</h2>
          <ul class="run-tiles">
            {earlier.map((run) => (
              <RunTile key={run.id} run={run} parts={parts} />
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

function BatchView({ batch, parts }: { batch: Batch; parts: FormPageParts }) {
  const list = batch.runs.flatMap((id) => parts.runs.runs.value.get(id) ?? []);
  const open = list.filter(isOpen);
  const again = (['failed', 'cancelled'] as const).filter((end) =>
    list.some(({ status }) => status === end),
  );
  const retry = (): void =>
    void starting(parts, () => parts.runs.retryBatch(batch.id, again.slice(0, 1)));
  const grid = batch.columns === null ? undefined : { '--columns': batch.columns };
  return (
    <section class="run-batch">
      {batch.saved && (
        <header>
          <h2>{batchTitle(batch, parts)}</h2>
          <small>
            {t('{done} of {count}', { done: list.length - open.length, count: list.length })}
          </small>
          <span class="grow" />
          {open.length > 1 && (
            <button
              type="button"
              class="text"
              onClick={() => void starting(parts, () => parts.runs.cancelBatch(batch.id))}
            >
              {t('Cancel all')}
            </button>
          )}
          {open.length === 0 && again.length > 0 && (
            <button type="button" class="text" onClick={retry}>
              {again[0] === 'failed' ? t('Run again what failed') : t('Run the rest')}
            </button>
          )}
        </header>
      )}
      <ul
        class="run-tiles"
        data-grid={grid !== undefined}
        data-one={list.length === 1}
        style={grid}
      >
        {list.map((run) => (
          <RunTile key={run.id} run={run} parts={parts} />
        ))}
      </ul>
    </section>
  );
}

/** What was varied, else how many there are. */
function batchTitle({ varied, runs }: Batch, { form }: FormPageParts): string {
  // Across first, as the labels of the runs have it.
  const labels = varied
    .toReversed()
    .map((key) => form.value.fields.find((field) => field.key === key)?.label);
  return labels.length > 0
    ? labels.map((label) => t(label ?? '?')).join(' × ')
    : t('{count} pictures', { count: runs.length });
}

function RunTile({ run, parts }: { run: Run; parts: FormPageParts }) {
  const { form, runs } = parts;
  const outputs = shownOutputs(
    run,
    form.value.outputs.filter(({ shown }) => shown).map(({ node_id: id }) => id),
  );
  const label = ownText(run, parts) || seedText(run, parts);
  return (
    <li class="run-tile" data-status={run.status}>
      {isOpen(run) && <Waiting run={run} />}
      {outputs.map((_, i) => (
        <OutputView key={i} outputs={outputs} index={i} parts={parts} />
      ))}
      {run.status === 'failed' && (
        <p class="run-problem" role="alert">
          {run.error ?? t('It failed')}
        </p>
      )}
      {run.status === 'cancelled' && <p class="run-problem">{t('Cancelled')}</p>}
      <footer>
        <span class="grow" title={label}>
          {label}
        </span>
        {isOpen(run) ? (
          <button type="button" class="text" onClick={() => void runs.cancel(run.id)}>
            {t('Cancel')}
          </button>
        ) : (
          <RunActions run={run} parts={parts} />
        )}
      </footer>
    </li>
  );
}

function RunActions({ run, parts }: { run: Run; parts: FormPageParts }) {
  const { model } = parts;
  const use = (): void => {
    model.value.setAll(run.values);
    for (const { key, kind } of model.value.form.fields) {
      if (kind === 'seed') model.value.drawSeed(key, false);
    }
  };
  const vary = (): void => {
    model.value.setAll(run.values);
    for (const { key, kind } of model.value.form.fields) {
      if (kind === 'seed') model.value.drawSeed(key, true);
    }
    void startOne(parts);
  };
  return (
    <>
      <button
        type="button"
        aria-label={t('Use these values')}
        title={t('Use these values')}
        onClick={use}
      >
        <Icon name="reload" />
      </button>
      <button
        type="button"
        aria-label={t('Again with another seed')}
        title={t('Again with another seed')}
        onClick={vary}
      >
        <Icon name="dice" />
      </button>
    </>
  );
}

function Waiting({ run }: { run: Run }) {
  const percent = run.part === null ? undefined : Math.round(run.part * 100);
  return (
    <div class="run-waiting">
      {run.preview !== null && <img src={run.preview} alt={t('The picture as it forms')} />}
      <span>{run.status === 'pending' ? t('Waiting') : t('Running')}</span>
      <progress aria-label={t('Progress')} max={100} value={percent} />
    </div>
  );
}

function OutputView(props: {
  readonly outputs: readonly JobOutput[];
  readonly index: number;
  readonly parts: FormPageParts;
}) {
  const { outputs, index, parts } = props;
  const { media_type: type = '', filename = '', url, text } = outputs[index];
  if (text !== undefined) return <p class="run-text">{text}</p>;
  if (url === undefined) return null;
  if (type.startsWith('video/')) return <video src={url} controls loop />;
  if (type.startsWith('audio/')) return <audio src={url} controls />;
  if (!type.startsWith('image/')) {
    return (
      <a class="run-file" href={url} download={filename}>
        <Icon name="download" />
        {filename}
      </a>
    );
  }
  const pictures = outputs.filter((output) => output.media_type?.startsWith('image/'));
  const open = (): void => {
    parts.state.lightbox.value = {
      images: pictures.map((output) => ({ url: output.url!, label: output.filename ?? '' })),
      index: pictures.indexOf(outputs[index]),
    };
  };
  return (
    <button
      type="button"
      class="run-picture"
      aria-label={t('Open {name}', { name: filename })}
      onClick={open}
    >
      <img src={url} alt={filename} loading="lazy" />
    </button>
  );
}

/** The results of the nodes that the form shows; all of them where these made nothing. */
function shownOutputs({ outputs }: Run, shown: readonly string[]): readonly JobOutput[] {
  const some = outputs.filter(({ node_id: id }) => shown.includes(id));
  const saved = some.filter(({ directory }) => directory !== 'temp');
  if (saved.length > 0) return saved;
  return some.length > 0 ? some : outputs;
}

/** What tells a run from others of its batch; seeds alone say nothing to people. */
function ownText({ own }: Run, { form }: FormPageParts): string {
  return Object.entries(own)
    .flatMap(([key, value]) => {
      const field = form.value.fields.find((each) => each.key === key);
      if (field === undefined || field.kind === 'seed') return [];
      return [isWords(field) ? String(value) : `${t(field.label)} ${String(value)}`];
    })
    .join(', ');
}

function seedText({ values }: Run, { form }: FormPageParts): string {
  const seed = form.value.fields.find(({ kind }) => kind === 'seed');
  const value = seed === undefined ? undefined : values[seed.key];
  return value === undefined || value === null ? '' : t('Seed {seed}', { seed: String(value) });
}

/** How far everything is, for those who do not see it. */
function progressText(runs: readonly Run[]): string {
  const open = runs.filter(isOpen);
  if (open.length > 0) return t('{count} runs to go', { count: open.length });
  return runs.some(({ status }) => status === 'completed') ? t('All runs are done') : '';
}
