import { HelpDialog } from './help.tsx';
import { Lightbox } from './lightbox.tsx';
import { NodeLibrary } from './node-library.tsx';
import { NodeSearch } from './node-search.tsx';
import type { AppParts } from './parts.ts';
import { ProblemPanel } from './problem-panel.tsx';
import { QuestionDialog } from './question.tsx';
import { QueuePanel } from './queue-panel.tsx';
import { Toasts } from './toasts.tsx';
import { Tooltip } from './tooltip.tsx';
import { TopBar } from './top-bar.tsx';
import { WorkflowPanel } from './workflow-panel.tsx';
import { SideRail, SubgraphTrail, ZoomBar } from './canvas-controls.tsx';

/** Everything around the canvas. */
export function App(parts: AppParts) {
  const { state } = parts;
  const panel = state.sidePanel.value;
  return (
    <>
      <TopBar {...parts} />
      <SideRail {...parts} />
      {panel === 'queue' && <QueuePanel {...parts} />}
      {panel === 'workflows' && <WorkflowPanel {...parts} />}
      {panel === 'nodes' && <NodeLibrary {...parts} />}
      <SubgraphTrail {...parts} />
      <ProblemPanel {...parts} />
      <ZoomBar {...parts} />
      <Tooltip {...parts} />
      <NodeSearch {...parts} />
      <Lightbox state={state} />
      <HelpDialog state={state} />
      <QuestionDialog state={state} />
      <Toasts state={state} />
    </>
  );
}
