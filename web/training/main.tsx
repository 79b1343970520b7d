import { render } from 'preact';
import { createServer } from '../api/server.ts';
import { Dialogs } from '../panels/dialog.tsx';
import { QuestionDialog } from '../panels/question.tsx';
import { Toasts } from '../panels/toasts.tsx';
import { userSettings } from '../settings/user-settings.ts';
import { createState } from '../state.ts';
import { LightboxView } from '../viewer/lazy.tsx';
import { createTrainingApi } from './api.ts';
import { TrainingPage } from './page.tsx';
import 'virtual:themes.css';
import '../style/theme.css';
import '../style/overlays.css';
import '../style/dialogs.css';
import '../style/forms.css';
import '../style/run-page.css';
import '../style/training.css';
import '../style/training-run.css';
import '../style/datasets.css';

const server = createServer(document.baseURI);
const state = createState();
userSettings(server);

render(
  <>
    <TrainingPage api={createTrainingApi(document.baseURI)} server={server} state={state} />
    <LightboxView state={state} />
    <Dialogs state={state} />
    <QuestionDialog state={state} />
    <Toasts state={state} />
  </>,
  document.getElementById('app') as HTMLElement,
);
