import { useEffect } from 'preact/hooks';
import type { AppParts } from './parts.ts';
import { DeviceNames } from './devices.tsx';
import { Icon, type IconName } from './icons.tsx';

const panels: readonly {
  id: 'queue' | 'workflows' | 'nodes';
  icon: IconName;
  label: string;
  key: string;
}[] = [
  { id: 'queue', icon: 'queue', label: 'Queue and history', key: 'Q' },
  { id: 'workflows', icon: 'document', label: 'Workflows', key: 'W' },
  { id: 'nodes', icon: 'nodes', label: 'Nodes', key: 'N' },
];

/** The buttons on the left edge that open the side panels. */
export function SideRail({ state }: AppParts) {
  return (
    <nav class="side-rail" aria-label="Panels">
      {panels.map(({ id, icon, label, key }) => (
        <button
          key={id}
          type="button"
          title={`${label} (${key})`}
          aria-label={label}
          aria-pressed={state.sidePanel.value === id}
          onClick={() => {
            state.sidePanel.value = state.sidePanel.value === id ? null : id;
          }}
        >
          <Icon name={icon} />
        </button>
      ))}
      <span class="spring" />
      <button
        type="button"
        title="Keyboard shortcuts (?)"
        aria-label="Keyboard shortcuts"
        onClick={() => {
          state.help.value = true;
        }}
      >
        <Icon name="help" />
      </button>
    </nav>
  );
}

/** Devices, zoom in per cent and the fit button, bottom right. */
export function ZoomBar(parts: AppParts) {
  const { editor, state } = parts;
  return (
    <div class="zoom-bar">
      <DeviceNames {...parts} />
      <span>{Math.round(state.zoom.value * 100)}%</span>
      <button
        type="button"
        title="Fit view (.)"
        aria-label="Fit view"
        onClick={() => editor.canvas.fitView()}
      >
        <Icon name="fit" />
      </button>
    </div>
  );
}

/** The way back out of an open subgraph. */
export function SubgraphTrail({ editor, state }: AppParts) {
  useEffect(() => {
    const element = editor.canvas.canvas;
    const update = (): void => {
      const { subgraph } = editor.canvas;
      state.insideSubgraph.value = subgraph ? [subgraph.name] : [];
    };
    const events = ['litegraph:set-graph', 'subgraph-opened'] as const;
    for (const name of events) element.addEventListener(name, update);
    return () => {
      for (const name of events) element.removeEventListener(name, update);
    };
  }, []);
  if (state.insideSubgraph.value.length === 0) return null;
  return (
    <nav class="subgraph-trail" aria-label="Subgraph">
      <button type="button" onClick={() => editor.canvas.setGraph(editor.graph)}>
        <Icon name="back" />
        {state.document.value.name.value}
      </button>
      {state.insideSubgraph.value.map((name) => (
        <span key={name}>{name}</span>
      ))}
    </nav>
  );
}
