import { useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { imageFiles } from '../graph/execution-view.ts';
import { Fields } from '../forms/fields.tsx';
import { t } from '../locale/translate.ts';
import { Icon, type IconName } from '../panels/icons.tsx';
import type { AppParts } from '../panels/parts.ts';
import { sidePanels, toggleSidePanel } from '../panels/side-panels.ts';
import '../style/forms.css';
import '../style/phone.css';
import { createDocumentForm, type DocumentForm } from './document-form.ts';
import { GraphTouch } from './graph-touch.tsx';
import { createLivePicture, type LivePicture } from './live-picture.ts';

/** Panels that a phone has room for. */
const panels = ['gallery', 'queue', 'workflows'];

/** The page on a phone: the open workflow as a form, what it made, and the graph to look at. */
export function PhonePage(parts: AppParts) {
  const { state, editor } = parts;
  const form = useMemo(() => createDocumentForm(parts), []);
  const live = useMemo(() => createLivePicture(parts), []);
  const view = useSignal<'form' | 'graph'>('form');
  const side = sidePanels.find(({ id }) => id === state.sidePanel.value);
  const showForm = (): void => {
    view.value = 'form';
    state.sidePanel.value = null;
  };
  // A workflow that was opened is what somebody wants to see.
  useEffect(() => state.document.subscribe(showForm), []);
  const showGraph = (): void => {
    form.write();
    view.value = 'graph';
    state.sidePanel.value = null;
    requestAnimationFrame(() => editor.canvas.fitView());
  };
  const open = (id: string): void => {
    form.write();
    toggleSidePanel(state, id);
  };
  return (
    <>
      <header class="phone-bar">
        <h1>{state.document.value.name.value}</h1>
        <a href="ui/run" aria-label={t('All forms')} title={t('All forms')}>
          <Icon name="form" />
        </a>
        <a
          href="ui/train"
          aria-label={t('Training: runs and data sets')}
          title={t('Training: runs and data sets')}
        >
          <Icon name="curve" />
        </a>
      </header>
      {view.value === 'graph' ? (
        <GraphTouch canvas={editor.canvas} />
      ) : (
        <FormView parts={parts} form={form} live={live} />
      )}
      {side && <side.Panel {...parts} />}
      <div class="phone-foot">
        <QueueButton parts={parts} form={form} />
        <nav aria-label={t('Views')}>
          <Tab
            icon="form"
            label={t('Form')}
            isOn={view.value === 'form' && side === undefined}
            go={showForm}
          />
          <Tab
            icon="nodes"
            label={t('Graph')}
            isOn={view.value === 'graph' && side === undefined}
            go={showGraph}
          />
          {sidePanels
            .filter(({ id }) => panels.includes(id))
            .map(({ id, icon, label }) => (
              <Tab
                key={id}
                icon={icon}
                label={t(label.split(' ')[0])}
                isOn={side?.id === id}
                go={() => open(id)}
              />
            ))}
        </nav>
      </div>
    </>
  );
}

interface TabParts {
  readonly icon: IconName;
  readonly label: string;
  readonly isOn: boolean;
  readonly go: () => void;
}

const Tab = ({ icon, label, isOn, go }: TabParts) => (
  <button type="button" aria-pressed={isOn} onClick={go}>
    <Icon name={icon} />
    <span>{label}</span>
  </button>
);

function QueueButton({ parts, form }: { parts: AppParts; form: DocumentForm }) {
  const { state, runner } = parts;
  const running = state.running.value;
  const waiting = state.queueRemaining.value;
  const queue = async (): Promise<void> => {
    form.prepare();
    await runner.queue();
    // What the queue changes in the workflow (seeds) belongs into the form too.
    form.write();
  };
  return (
    <div class="phone-queue">
      <button type="button" class="phone-queue-button" onClick={() => void queue()}>
        <Icon name="play" />
        {t('Queue')}
        {waiting > 0 && <b>{waiting}</b>}
      </button>
      {(running !== null || waiting > 0) && (
        <button
          type="button"
          class="phone-cancel"
          aria-label={t('Cancel the running prompt')}
          onClick={() => runner.cancel()}
        >
          <Icon name="stop" />
        </button>
      )}
      <div
        class="phone-progress"
        role="progressbar"
        aria-label={t('Progress')}
        aria-valuenow={Math.round((running?.part ?? 0) * 100)}
        style={{ '--part': running?.part ?? 0 }}
      />
    </div>
  );
}

interface FormViewParts {
  readonly parts: AppParts;
  readonly form: DocumentForm;
  readonly live: LivePicture;
}

function FormView({ parts, form, live }: FormViewParts) {
  const { state, server } = parts;
  const { main, more } = form.shown.value;
  const model = form.model.value;
  return (
    <main class="phone-form">
      <Pictures parts={parts} live={live} />
      {state.problems.value.map(({ title, message }, i) => (
        <p key={i} class="form-error" role="alert">
          {title}: {message}
        </p>
      ))}
      {main.length + more.length === 0 && (
        <p class="empty">{t('This workflow has nothing to fill in.')}</p>
      )}
      <Fields fields={main} model={model} server={server} state={state} />
      {more.length > 0 && (
        <details class="form-advanced">
          <summary>{t('Advanced')}</summary>
          <Fields fields={more} model={model} server={server} state={state} />
        </details>
      )}
    </main>
  );
}

/** The newest picture, or the one that forms, and those before it. */
function Pictures({ parts, live }: { parts: AppParts; live: LivePicture }) {
  const { state, server } = parts;
  const files = state.history.value
    .flatMap(({ files: made }) => imageFiles({ images: made }))
    .slice(0, 24);
  const images = files.map((file) => ({ url: server.viewUrl(file), label: file.filename }));
  const open = (index: number): void => void (state.lightbox.value = { images, index });
  const first = live.value ?? images[0]?.url;
  if (first === undefined) return null;
  return (
    <section class="phone-pictures" aria-label={t('Pictures')}>
      <button
        type="button"
        class="phone-picture"
        aria-label={live.value === null ? t('Open the newest picture') : t('It is being made')}
        disabled={live.value !== null}
        onClick={() => open(0)}
      >
        <img src={first} alt="" />
      </button>
      {images.length > 1 && (
        <div class="phone-strip">
          {images.slice(live.value === null ? 1 : 0).map(({ url, label }, i) => (
            <button
              key={url}
              type="button"
              aria-label={t('Open {name}', { name: label })}
              onClick={() => open(live.value === null ? i + 1 : i)}
            >
              <img src={`${url}&preview=webp;80`} alt="" loading="lazy" />
            </button>
          ))}
        </div>
      )}
    </section>
  );
}
