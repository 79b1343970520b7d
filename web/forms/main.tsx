import { signal } from '@preact/signals';
import { render } from 'preact';
import { createServer } from '../api/server.ts';
import { t } from '../locale/translate.ts';
import { Dialogs } from '../panels/dialog.tsx';
import { QuestionDialog } from '../panels/question.tsx';
import { Toasts } from '../panels/toasts.tsx';
import { userSettings } from '../settings/user-settings.ts';
import { createState } from '../state.ts';
import { messageOf } from '../text.ts';
import { newUuid } from '../uuid.ts';
import { LightboxView } from '../viewer/lazy.tsx';
import { createFormApi } from './api.ts';
import { FormPage } from './form-page.tsx';
import { ListPage } from './list-page.tsx';
import { openForm } from './open-form.ts';
import type { FormsParts } from './parts.ts';
import 'virtual:themes.css';
import '../style/theme.css';
import '../style/overlays.css';
import '../style/dialogs.css';
import '../style/forms.css';
import '../style/run-page.css';

async function start(): Promise<void> {
  const root = document.getElementById('app') as HTMLElement;
  const server = createServer(document.baseURI);
  const state = createState();
  userSettings(server);
  const parts: FormsParts = {
    api: createFormApi(document.baseURI),
    server,
    state,
    clientId: newUuid(),
  };
  const id = formInAddress(location.pathname);
  try {
    const body =
      id === undefined
        ? await openList(parts)
        : await openForm(id, parts).then((page) => () => <FormPage {...page} />);
    const Body = body;
    render(
      <>
        <Body />
        <LightboxView state={state} />
        <Dialogs state={state} />
        <QuestionDialog state={state} />
        <Toasts state={state} />
      </>,
      root,
    );
  } catch (error) {
    root.innerHTML = '';
    render(<Failure text={messageOf(error)} />, root);
  }
}

async function openList(parts: FormsParts) {
  const workflows = signal(await parts.api.list());
  document.title = `${t('Forms')} - Noodle`;
  return () => <ListPage {...parts} workflows={workflows.value} />;
}

function Failure({ text }: { text: string }) {
  return (
    <main class="run-failure">
      <h1>{t('This form could not be opened')}</h1>
      <p>{text}</p>
      <a href="ui/run">{t('All forms')}</a>
    </main>
  );
}

/** The id in `…/ui/run/<id>`; undefined for the list of all. */
function formInAddress(path: string): string | undefined {
  const found = /\/ui\/run\/([^/]+)\/?$/.exec(path)?.[1];
  return found === undefined ? undefined : decodeURIComponent(found);
}

void start();
