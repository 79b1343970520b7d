import { LGraphCanvas } from '@comfyorg/litegraph';
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { boundsOf } from '../graph/align.ts';
import { mix, vivid } from '../graph/color.ts';
import { colorName } from '../graph/node-colors.ts';
import { palette } from '../graph/palette.ts';
import { colorSelection, selectedParts } from '../graph/selection.ts';
import { t } from '../locale/translate.ts';
import { Icon, type IconName } from './icons.tsx';
import type { AppParts } from './parts.ts';

/** A button: the command it starts, and how many things must be selected. */
interface Tool {
  readonly command: string;
  readonly icon: IconName;
  readonly least?: number;
}

/** Before and after the two that open a list of their own. Commands that the page lacks are left out. */
const tools: readonly Tool[] = [
  { command: 'Comfy.Canvas.ToggleSelectedNodes.Bypass', icon: 'bypass' },
  { command: 'Comfy.Canvas.ToggleSelectedNodes.Mute', icon: 'mute' },
  { command: 'Comfy.Canvas.ToggleSelectedNodes.Collapse', icon: 'fold' },
  { command: 'Comfy.Graph.GroupSelectedNodes', icon: 'group', least: 2 },
  { command: 'Comfy.Graph.ConvertToSubgraph', icon: 'subgraph' },
  { command: 'Noodle.NodeInfo', icon: 'info' },
  { command: 'Comfy.Canvas.DeleteSelectedItems', icon: 'trash' },
];

interface Place {
  readonly x: number;
  readonly y: number;
  readonly count: number;
}

/** What can be done with the selection, above it. */
export function SelectionToolbox(parts: AppParts) {
  const { editor, settings } = parts;
  const place = useSignal<Place | null>(null);
  useEffect(() => {
    const update = (): void => {
      const now = placeOf(editor.canvas);
      const { value: old } = place;
      if (now?.x !== old?.x || now?.y !== old?.y || now?.count !== old?.count) place.value = now;
    };
    editor.canvas.drawn.add(update);
    return () => void editor.canvas.drawn.delete(update);
  }, []);
  if (place.value === null || !settings.selectionToolbox.value) return null;
  return <Toolbox {...parts} place={place.value} />;
}

function Toolbox({ editor, shortcuts, place: { x, y, count } }: AppParts & { place: Place }) {
  const open = useSignal<'colour' | 'align' | null>(null);
  const { canvas } = editor;
  const close = (): void => {
    open.value = null;
    canvas.canvas.focus();
  };
  const run = (id: string): void => {
    close();
    shortcuts.find(id)?.run();
    editor.documents.settle();
  };
  const button = (icon: IconName, label: string, onClick: () => void, pressed?: boolean) => (
    <button
      type="button"
      title={label}
      aria-label={label}
      aria-expanded={pressed}
      onClick={onClick}
    >
      <Icon name={icon} />
    </button>
  );
  const toggle = (which: 'colour' | 'align') => (): void => {
    open.value = open.value === which ? null : which;
  };
  return (
    <div
      class="toolbox"
      role="toolbar"
      aria-label={t('Selection')}
      onKeyDown={(event) => event.key === 'Escape' && close()}
      style={{ left: `${x}px`, top: `${y}px` }}
    >
      {button('palette', t('Colour'), toggle('colour'), open.value === 'colour')}
      {count > 1 && button('align', t('Align'), toggle('align'), open.value === 'align')}
      {tools
        .filter(({ command, least = 1 }) => count >= least && shortcuts.find(command) !== undefined)
        .map(({ command, icon }) =>
          button(icon, t(shortcuts.find(command)?.title ?? ''), () => run(command)),
        )}
      {open.value === 'colour' && (
        <Swatches
          pick={(name) => {
            close();
            colorSelection(canvas, name);
          }}
        />
      )}
      {open.value === 'align' && (
        <div class="toolbox-list" role="menu">
          {shortcuts.commands.value
            .filter(({ id }) => /^Noodle\.Canvas\.(Align|Distribute|Arrange)/.test(id))
            .map(({ id, title }) => (
              <button key={id} type="button" role="menuitem" onClick={() => run(id)}>
                {t(title)}
              </button>
            ))}
        </div>
      )}
    </div>
  );
}

function Swatches({ pick }: { pick: (name: string | null) => void }) {
  const colors = Object.entries(LGraphCanvas.node_colors).filter(([name]) => name !== 'black');
  return (
    <div class="toolbox-list swatches" role="menu">
      <button type="button" role="menuitem" aria-label={t('No colour')} onClick={() => pick(null)}>
        <i style={{ background: palette.nodeTitle }} />
      </button>
      {colors.map(([name, { bgcolor }]) => (
        <button
          key={name}
          type="button"
          role="menuitem"
          aria-label={colorName(name)}
          onClick={() => pick(name)}
        >
          <i style={{ background: mix(palette.node, vivid(bgcolor), 0.6) }} />
        </button>
      ))}
    </div>
  );
}

/** Above the middle of what is selected, inside the stage; null while something is dragged. */
function placeOf(canvas: AppParts['editor']['canvas']): Place | null {
  const items = selectedParts(canvas);
  if (items.length === 0 || canvas.pointer.isDown || canvas.read_only) return null;
  const [left, top, right, bottom] = boundsOf(items);
  const { ds } = canvas;
  const stage = canvas.canvas.getBoundingClientRect();
  const middle = ((left + right) / 2 + ds.offset[0]) * ds.scale;
  const above = (top + ds.offset[1]) * ds.scale - 44;
  if (middle < 0 || middle > stage.width || (bottom + ds.offset[1]) * ds.scale < 0) return null;
  if (above > stage.height) return null;
  return {
    x: Math.round(stage.left + Math.min(stage.width - 150, Math.max(150, middle))),
    y: Math.round(stage.top + Math.min(stage.height - 60, Math.max(8, above))),
    count: items.length,
  };
}
