import { LiteGraph } from '@comfyorg/litegraph';
import { effect, signal } from '@preact/signals';
import { t } from '../locale/translate.ts';
import type { Settings } from '../settings/settings.ts';
import { badgeModes } from './badges.ts';
import type { EditorCanvas } from './canvas.ts';
import { forgetTexts } from './text-fit.ts';
import { applyTheme, styleCanvas, uiFont } from './theme.ts';
import { refreshReroutes } from './virtual-nodes.ts';

/** Whether the graph may only be looked at: dragging moves the view. */
export const canvasLocked = signal(false);

/** Makes the canvas look and act as the settings say, now and whenever they change. */
export function followSettings(canvas: EditorCanvas, settings: Settings): void {
  const redraw = (): void => canvas.setDirty(true, true);
  effect(() => {
    applyTheme(settings.theme.value);
    styleCanvas(canvas);
    for (const graph of canvas.graph?.rootGraph.subgraphs.values() ?? []) {
      refreshReroutes(graph.nodes);
    }
    refreshReroutes(canvas.graph?.rootGraph.nodes ?? []);
    redraw();
  });
  effect(() => {
    t('Muted'); // Words on the canvas change with the language.
    redraw();
  });
  effect(() => {
    canvas.links_render_mode = settings.linkStyle.value;
    redraw();
  });
  effect(() => {
    badgeModes.id = settings.idBadge.value;
    badgeModes.source = settings.sourceBadge.value;
    redraw();
  });
  effect(() => {
    canvas.read_only = canvasLocked.value;
  });
  effect(() => {
    LiteGraph.CANVAS_GRID_SIZE = settings.gridSize.value;
    LiteGraph.alwaysSnapToGrid = settings.snapToGrid.value;
  });
  // Texts that were measured and drawn before the font had arrived.
  void document.fonts.load(`13px ${uiFont}`).then(() => {
    forgetTexts();
    redraw();
  });
}
