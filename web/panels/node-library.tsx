import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { draggedNode } from '../drop.ts';
import { foundNode, searchNodes, type FoundNode } from '../graph/search.ts';
import { bookmarkedTypes, toggleBookmark } from '../node-library/bookmarks.ts';
import { NodePreview } from '../node-library/node-preview.tsx';
import { essentials } from '../graph/essential-nodes.ts';
import { categoryTree, type Category } from '../node-library/category-tree.ts';
import { t } from '../locale/translate.ts';
import { blueprints, insertBlueprint, listBlueprints } from '../subgraphs/blueprints.ts';
import { Icon } from './icons.tsx';
import type { AppParts } from './parts.ts';
import { SearchField } from './search-field.tsx';
import { SidePanel } from './side-panel.tsx';
import '../style/node-library.css';

/**
 * All nodes: marked ones and essentials first, then by category, and published subgraphs. Drag one onto
 * the canvas, or click to add it in the middle.
 */
export function NodeLibrary(parts: AppParts) {
  const { editor, server, state, settings, objectInfo } = parts;
  const text = useSignal('');
  const hovered = useSignal<string | null>(null);
  useEffect(() => void listBlueprints(server), []);
  const middle = (): [number, number] => {
    const { ds, canvas } = editor.canvas;
    return [
      canvas.clientWidth / 2 / ds.scale - ds.offset[0] - 110,
      canvas.clientHeight / 2 / ds.scale - ds.offset[1] - 60,
    ];
  };
  const found = (types: readonly string[]): FoundNode[] =>
    types
      .filter((type) => Object.hasOwn(objectInfo, type))
      .map((type) => foundNode(objectInfo[type]));
  const words = text.value.trim();
  const marked = new Set(bookmarkedTypes(settings));
  const row = (node: FoundNode) => (
    <NodeRow
      key={node.type}
      {...parts}
      node={node}
      marked={marked.has(node.type)}
      add={() => editor.canvas.addNode(node.type, middle())}
      hover={(type) => {
        hovered.value = type;
      }}
    />
  );
  const shown = blueprints.value.filter(({ name }) =>
    name.toLowerCase().includes(words.toLowerCase()),
  );
  const info = hovered.value === null ? undefined : objectInfo[hovered.value];
  return (
    <SidePanel title="Nodes" state={state}>
      <SearchField text={text} label={t('Filter nodes')} className="panel-search" />
      {words !== '' && searchNodes(objectInfo, words, undefined, 400).map(row)}
      {words === '' && marked.size > 0 && (
        <Section title={t('Bookmarks')} open>
          {found([...marked]).map(row)}
        </Section>
      )}
      {words === '' && (
        <Section title={t('Essentials')} open={marked.size === 0}>
          {found(essentials).map(row)}
        </Section>
      )}
      {shown.length > 0 && (
        <Section title={t('Published subgraphs')} open={words !== ''}>
          {shown.map((blueprint) => (
            <button
              key={`${blueprint.name} ${blueprint.own}`}
              type="button"
              class="list-row"
              onClick={() => void insertBlueprint(parts, blueprint, middle())}
            >
              {blueprint.name}
              {!blueprint.own && <em data-mark="pack">{t('from a pack')}</em>}
            </button>
          ))}
        </Section>
      )}
      {words === '' &&
        categoryTree(Object.values(objectInfo).map(foundNode)).map((category) => (
          <Branch key={category.path} category={category} row={row} />
        ))}
      {info !== undefined && <NodePreview info={info} />}
    </SidePanel>
  );
}

interface SectionParts {
  readonly title: string;
  readonly count?: number;
  readonly open?: boolean;
  readonly children: preact.ComponentChildren;
}

/** A part of the list that folds; what is in it is made when it is first open. */
function Section({ title, count, open = false, children }: SectionParts) {
  const isOpen = useSignal(open);
  return (
    <details
      class="category"
      open={isOpen.value}
      onToggle={(e) => {
        isOpen.value = e.currentTarget.open;
      }}
    >
      <summary>
        {title}
        {count !== undefined && <small>{count}</small>}
      </summary>
      {isOpen.value && children}
    </details>
  );
}

function Branch({
  category,
  row,
}: {
  category: Category;
  row: (node: FoundNode) => preact.JSX.Element;
}) {
  return (
    <Section title={category.name} count={category.count}>
      {category.children.map((child) => (
        <Branch key={child.path} category={child} row={row} />
      ))}
      {category.nodes.map(row)}
    </Section>
  );
}

interface RowParts extends AppParts {
  readonly node: FoundNode;
  readonly marked: boolean;
  readonly add: () => void;
  readonly hover: (type: string | null) => void;
}

function NodeRow(parts: RowParts) {
  const { node, marked, settings, objectInfo, add, hover } = parts;
  const help = async (): Promise<void> => {
    const { openNodeHelp } = await import('../node-library/node-help.tsx');
    openNodeHelp(parts, objectInfo[node.type]);
  };
  return (
    <div
      class="node-row"
      onPointerEnter={() => hover(node.type)}
      onPointerLeave={() => hover(null)}
    >
      <button
        type="button"
        class="list-row"
        draggable
        onDragStart={(e) => {
          hover(null);
          e.dataTransfer?.setData(draggedNode, node.type);
        }}
        onClick={add}
      >
        {node.title}
        {node.mark !== null && <em data-mark={node.mark}>{node.mark}</em>}
      </button>
      <button
        type="button"
        class="aside"
        aria-label={t('Help on {name}', { name: node.title })}
        title={t('Help')}
        onClick={() => void help()}
      >
        <Icon name="help" />
      </button>
      <button
        type="button"
        class="aside"
        aria-pressed={marked}
        aria-label={t('Bookmark {name}', { name: node.title })}
        title={t('Bookmark')}
        onClick={() => toggleBookmark(settings, node.type)}
      >
        <Icon name="bookmark" />
      </button>
    </div>
  );
}
