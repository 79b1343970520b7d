import { useSignal, type Signal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { t } from '../locale/translate.ts';
import { Icon } from '../panels/icons.tsx';
import type { Brush } from './brush.ts';
import type { Painting } from './painting.ts';
import { SettingsColumn } from './settings-column.tsx';
import { startStage, toolOf, type Stage } from './stage.ts';
import { tools } from './tools.ts';

export interface MaskEditorParts {
  readonly painting: Painting;
  readonly brush: Brush;
  readonly colours: ImageBitmap;
  readonly saving: Signal<boolean>;
  /** Why the last attempt to save failed. */
  readonly problem: Signal<string>;
  readonly save: () => void;
  readonly cancel: () => void;
}

/** The tools, the picture that is painted on, and what can be set. */
export function MaskEditor({
  painting,
  brush,
  colours,
  saving,
  problem,
  save,
  cancel,
}: MaskEditorParts) {
  const tool = useSignal(tools[0].id);
  const zoom = useSignal(1);
  const root = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const ring = useRef<HTMLDivElement>(null);
  const stage = useRef<Stage | null>(null);
  useLayoutEffect(() => {
    const [box, picture, edge] = [root.current, canvas.current, ring.current];
    if (box === null || picture === null || edge === null) return;
    const parts = { root: box, canvas: picture, ring: edge, painting, brush, colours };
    const started = startStage({ ...parts, tool, zoom, save });
    stage.current = started;
    return () => started.dispose();
  }, []);

  return (
    <div ref={root} class="mask-body" tabIndex={-1} autofocus>
      <div class="mask-tools" role="toolbar" aria-label={t('Tools')}>
        {tools.map(({ id, title, icon, key }) => (
          <button
            key={id}
            type="button"
            aria-pressed={tool.value === id}
            aria-label={t(title)}
            title={`${t(title)} (${key.toUpperCase()})`}
            onClick={() => (tool.value = id)}
          >
            <Icon name={icon} />
          </button>
        ))}
        <hr />
        <button
          type="button"
          aria-label={t('Undo')}
          title={`${t('Undo')} (Ctrl Z)`}
          disabled={!painting.canUndo()}
          onClick={() => painting.undo()}
        >
          <Icon name="undo" />
        </button>
        <button
          type="button"
          aria-label={t('Redo')}
          title={`${t('Redo')} (Ctrl Y)`}
          disabled={!painting.canRedo()}
          onClick={() => painting.redo()}
        >
          <Icon name="redo" />
        </button>
      </div>
      <div class="mask-stage">
        <canvas ref={canvas} aria-label={t('Picture to paint on')} />
        <div ref={ring} class="mask-ring" hidden />
        <div class="mask-zoom">
          <button
            type="button"
            aria-label={t('Zoom out')}
            onClick={() => stage.current?.zoomBy(0.8)}
          >
            −
          </button>
          <button type="button" title={t('Fit the view')} onClick={() => stage.current?.fit()}>
            {Math.round(zoom.value * 100)} %
          </button>
          <button
            type="button"
            aria-label={t('Zoom in')}
            onClick={() => stage.current?.zoomBy(1.25)}
          >
            +
          </button>
        </div>
      </div>
      <SettingsColumn
        tool={toolOf(tool.value)}
        painting={painting}
        brush={brush}
        saving={saving}
        problem={problem}
        save={save}
        cancel={cancel}
      />
    </div>
  );
}
