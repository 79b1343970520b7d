import { useEffect } from 'preact/hooks';
import type { AppParts } from './app.tsx';
import { Icon } from './icons.tsx';
import { SidePanel } from './side-panel.tsx';

/** Saved workflows and the examples that come with Noodle. */
export function WorkflowPanel({ editor, files, state }: AppParts) {
  useEffect(() => void files.refreshLists(), []);
  return (
    <SidePanel
      title="Workflows"
      state={state}
      actions={
        <button type="button" class="text" onClick={() => editor.clear()}>
          New
        </button>
      }
    >
      <h3>Saved</h3>
      {state.saved.value.length === 0 && <p class="empty">Ctrl S saves the workflow here.</p>}
      {state.saved.value.map((path) => (
        <button
          key={path}
          type="button"
          class="list-row"
          onClick={() => void files.openSaved(path)}
        >
          <Icon name="document" />
          {path.replace(/\.json$/, '')}
        </button>
      ))}
      <h3>Examples</h3>
      {[...state.examples.value].sort(defaultFirst).map((name) => (
        <button
          key={name}
          type="button"
          class="list-row"
          onClick={() => void files.openExample(name)}
        >
          <Icon name="nodes" />
          {titleOf(name)}
        </button>
      ))}
      {state.examples.value.length === 0 && <p class="empty">No examples on this server.</p>}
    </SidePanel>
  );
}

const defaultFirst = (a: string, b: string): number =>
  Number(b === 'default') - Number(a === 'default') || a.localeCompare(b);

const titleOf = (name: string): string => {
  const words = name.replace(/[-_]+/g, ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
};
