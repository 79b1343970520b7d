import { logIsOpen } from '../log/log-is-open.ts';
import { Dialogs } from './dialog.tsx';
import { Menu } from './menu.tsx';
import { openWorkflowOf } from '../pictures/actions.ts';
import { NodeSearch } from './node-search.tsx';
import type { AppParts } from './parts.ts';
import { ProblemPanel } from './problem-panel.tsx';
import { QuestionDialog } from './question.tsx';
import { SelectionToolbox } from './selection-toolbox.tsx';
import { sidePanels } from './side-panels.ts';
import { SubgraphTrail } from '../subgraphs/trail.tsx';
import { Toasts } from './toasts.tsx';
import { Tooltip } from './tooltip.tsx';
import { TopBar } from './top-bar.tsx';
import { LightboxView } from '../viewer/lazy.tsx';
import { SideRail, ZoomBar } from './canvas-controls.tsx';
import { lazily } from './lazily.tsx';
import { narrow } from '../phone/narrow.ts';

const Minimap = lazily(async () => (await import('./minimap.tsx')).Minimap);
const LogPanel = lazily(async () => (await import('../log/log-panel.tsx')).LogPanel);
const PhonePage = lazily(async () => (await import('../phone/phone-page.tsx')).PhonePage);

/** Everything around the canvas. */
export function App(parts: AppParts) {
  const { state } = parts;
  return (
    <>
      {narrow.value ? <PhonePage {...parts} /> : <Desk {...parts} />}
      <LightboxView state={state} openWorkflow={(picture) => void openWorkflowOf(parts, picture)} />
      <Menu state={state} />
      <Dialogs state={state} />
      <QuestionDialog state={state} />
      <Toasts state={state} />
    </>
  );
}

/** What lies around the canvas where there is room for it. */
function Desk(parts: AppParts) {
  const { state } = parts;
  const side = sidePanels.find(({ id }) => id === state.sidePanel.value);
  return (
    <>
      <TopBar {...parts} />
      <SideRail {...parts} />
      {side && <side.Panel {...parts} />}
      <SubgraphTrail {...parts} />
      <ProblemPanel {...parts} />
      {parts.settings.minimap.value && <Minimap {...parts} />}
      <ZoomBar {...parts} />
      <SelectionToolbox {...parts} />
      {logIsOpen.value && <LogPanel {...parts} />}
      <Tooltip {...parts} />
      <NodeSearch {...parts} />
    </>
  );
}
