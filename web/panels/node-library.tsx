import { useSignal } from '@preact/signals';
import { draggedNode } from '../drop.ts';
import { foundNode, searchNodes, type FoundNode } from '../graph/search.ts';
import { t } from '../locale/translate.ts';
import type { AppParts } from './parts.ts';
import { SidePanel } from './side-panel.tsx';

/** All nodes by category; drag one onto the canvas or click to add it in the middle. */
export function NodeLibrary({ editor, state, objectInfo }: AppParts) {
  const text = useSignal('');
  const nodes =
    text.value.trim() === ''
      ? Object.values(objectInfo).map(foundNode)
      : searchNodes(objectInfo, text.value, undefined, 400);
  const add = (type: string): void => {
    const { ds, canvas } = editor.canvas;
    const x = canvas.clientWidth / 2 / ds.scale - ds.offset[0];
    const y = canvas.clientHeight / 2 / ds.scale - ds.offset[1];
    editor.canvas.addNode(type, [x - 110, y - 60]);
  };
  return (
    <SidePanel title="Nodes" state={state}>
      <input
        class="panel-search"
        type="search"
        placeholder={t('Filter nodes')}
        aria-label={t('Filter nodes')}
        value={text.value}
        onInput={(e) => {
          text.value = e.currentTarget.value;
        }}
      />
      {groupByCategory(nodes).map(([category, members]) => (
        <details key={category} class="category" open={text.value.trim() !== ''}>
          <summary>
            {category}
            <small>{members.length}</small>
          </summary>
          {members.map((node) => (
            <button
              key={node.type}
              type="button"
              class="list-row"
              draggable
              onDragStart={(e) => e.dataTransfer?.setData(draggedNode, node.type)}
              onClick={() => add(node.type)}
            >
              {node.title}
              {node.mark !== null && <em data-mark={node.mark}>{node.mark}</em>}
            </button>
          ))}
        </details>
      ))}
    </SidePanel>
  );
}

function groupByCategory(nodes: readonly FoundNode[]): [string, FoundNode[]][] {
  const groups = new Map<string, FoundNode[]>();
  for (const node of nodes) {
    const members = groups.get(node.category);
    if (members) members.push(node);
    else groups.set(node.category, [node]);
  }
  return [...groups].sort(([a], [b]) => a.localeCompare(b));
}
