import { effect, useSignal, type Signal } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import { t } from '../locale/translate.ts';
import { Icon } from '../panels/icons.tsx';
import type { Brush } from './brush.ts';
import { pixelsOf } from './files.ts';
import { createKeys, startKey } from './keys.ts';
import type { Layer } from './layer.ts';
import type { Painting } from './painting.ts';
import { listenForPointers, zoomed } from './pointer.ts';
import { SettingsColumn } from './settings-column.tsx';
import { tools, type Bench } from './tools.ts';
import { createView } from './view.ts';

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
  const chosen = (): (typeof tools)[number] =>
    tools.find(({ id }) => id === tool.value) ?? tools[0];
  const acts = useMemo(() => ({ fit: () => {}, zoom: (_factor: number) => {} }), []);

  useEffect(() => {
    const stage = canvas.current as HTMLCanvasElement;
    const view = createView(stage, painting, brush, colours);
    let picture: Layer | null = null;
    const bench: Bench = {
      painting,
      brush,
      view,
      picture: () => (picture ??= pixelsOf(colours)),
      lastPlace: null,
    };
    let space = false;
    let at: { x: number; y: number } | null = null;
    const showRing = (): void => {
      const element = ring.current as HTMLDivElement;
      const size = Math.max(3, brush.size.value * view.camera.scale);
      const round = at !== null && chosen().settings.includes('size') && !space;
      element.hidden = !round;
      stage.style.cursor = space ? 'grab' : round ? 'none' : 'crosshair';
      if (at === null) return;
      element.style.width = element.style.height = `${size}px`;
      element.style.transform = `translate(${at.x - size / 2}px, ${at.y - size / 2}px)`;
      element.style.setProperty('--core', `${Math.round(brush.hardness.value * 100)}%`);
      zoom.value = view.camera.scale;
    };
    const fit = (): void => {
      view.camera = view.fitting();
      zoom.value = view.camera.scale;
      showRing();
    };
    acts.fit = fit;
    acts.zoom = (factor) => {
      const middle = { x: stage.clientWidth / 2, y: stage.clientHeight / 2 };
      view.camera = zoomed(view.camera, factor, middle);
      zoom.value = view.camera.scale;
      showRing();
    };
    const keys = createKeys({
      painting,
      brush,
      choose: (id) => (tool.value = id),
      fit,
      zoom: (factor) => acts.zoom(factor),
      save,
    });
    const onKey = (event: KeyboardEvent): void => {
      if (event.target instanceof HTMLInputElement && event.target.type !== 'range') return;
      if (event.key === ' ') {
        space = event.type === 'keydown';
        showRing();
        event.preventDefault();
      } else if (event.type === 'keydown' && startKey(keys, event)) event.preventDefault();
    };
    const box = root.current as HTMLDivElement;
    box.addEventListener('keydown', onKey);
    box.addEventListener('keyup', onKey);
    box.focus();
    const stopPointers = listenForPointers({
      canvas: stage,
      bench,
      tool: chosen,
      panning: () => space,
      hover: (place) => {
        at = place;
        showRing();
      },
    });
    const wheel = (): void => showRing();
    stage.addEventListener('wheel', wheel);
    const stopRing = effect(() => {
      void [brush.size.value, brush.hardness.value, tool.value];
      showRing();
    });
    const stopTint = effect(() => {
      void brush.tint.value;
      view.recolour();
    });
    const stopOpacity = effect(() => {
      void brush.tintOpacity.value;
      view.redraw();
    });
    let shown = false;
    const resized = new ResizeObserver(() => {
      stage.width = Math.round(stage.clientWidth * devicePixelRatio);
      stage.height = Math.round(stage.clientHeight * devicePixelRatio);
      if (shown) view.redraw();
      else fit();
      shown = true;
    });
    resized.observe(stage);
    return () => {
      stopPointers();
      stopRing();
      stopTint();
      stopOpacity();
      resized.disconnect();
      view.dispose();
    };
  }, []);

  return (
    <div ref={root} class="mask-body" tabIndex={-1}>
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
          <button type="button" aria-label={t('Zoom out')} onClick={() => acts.zoom(0.8)}>
            −
          </button>
          <button type="button" title={t('Fit the view')} onClick={() => acts.fit()}>
            {Math.round(zoom.value * 100)} %
          </button>
          <button type="button" aria-label={t('Zoom in')} onClick={() => acts.zoom(1.25)}>
            +
          </button>
        </div>
      </div>
      <SettingsColumn
        tool={chosen()}
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
