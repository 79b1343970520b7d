import Panzoom, { type PanzoomObject } from '@panzoom/panzoom';
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../locale/translate.ts';
import type { Picture } from '../pictures/picture.ts';
import type { ViewerControls } from './controls.ts';

interface StageParts {
  readonly picture: Picture;
  /** The picture behind the slider. */
  readonly compared: Picture | undefined;
  readonly controls: ViewerControls;
}

/** Screen pixels for one of the picture's above which it is shown with sharp corners. */
const sharpFrom = 2;
/** A small picture is enlarged no further than this to fill the window. */
const largestFit = 4;

/** A picture that is zoomed by wheel and pinch and moved by hand; another picture is another stage. */
export function Stage({ picture, compared, controls }: StageParts) {
  const frame = useRef<HTMLDivElement>(null);
  const box = useRef<HTMLDivElement>(null);
  const size = useSignal<{ width: number; height: number } | null>(null);
  const failed = useSignal(false);
  const isSharp = controls.scale.value * devicePixelRatio > sharpFrom;

  useEffect(() => {
    if (frame.current === null || box.current === null || size.value === null) return;
    return mount(frame.current, box.current, size.value, controls);
  }, [size.value]);

  const arrived = (event: Event): void => {
    const { naturalWidth: width, naturalHeight: height } = event.currentTarget as HTMLImageElement;
    size.value = { width, height };
  };
  const style = size.value === null ? {} : { width: size.value.width, height: size.value.height };
  return (
    <div ref={frame} class="viewer-stage">
      {failed.value && <p class="empty">{t('This picture cannot be shown.')}</p>}
      <div
        ref={box}
        class="viewer-picture"
        style={style}
        data-sharp={isSharp}
        data-ready={size.value !== null}
      >
        <img
          src={picture.url}
          alt={picture.label}
          draggable={false}
          onLoad={arrived}
          onError={() => (failed.value = true)}
        />
        {compared && <Slider picture={compared} scale={controls.scale.value} />}
      </div>
    </div>
  );
}

/** Binds wheel, drag and pinch to the picture; returns how to end that. */
function mount(
  frame: HTMLElement,
  box: HTMLElement,
  { width, height }: { width: number; height: number },
  controls: ViewerControls,
): () => void {
  const fitScale = (): number =>
    Math.min(frame.clientWidth / width, frame.clientHeight / height, largestFit);
  const panzoom: PanzoomObject = Panzoom(box, {
    canvas: true,
    excludeClass: 'viewer-handle',
    minScale: Math.min(0.02, fitScale()),
    maxScale: 64,
    startScale: fitScale(),
    step: 0.2,
    cursor: 'grab',
    animate: false,
  });
  let isFit = true;
  const goTo = (scale: number, fit: boolean): void => {
    isFit = fit;
    panzoom.zoom(scale, { animate: false });
    panzoom.pan(0, 0, { animate: false, force: true });
  };
  const onWheel = (event: WheelEvent): void => {
    isFit = false;
    panzoom.zoomWithWheel(event, { animate: false });
  };
  const onChange = (event: Event): void => {
    controls.scale.value = (event as CustomEvent<{ scale: number }>).detail.scale;
  };
  const onDoubleClick = (): void =>
    isFit ? goTo(1 / devicePixelRatio, false) : goTo(fitScale(), true);
  frame.addEventListener('wheel', onWheel, { passive: false });
  frame.addEventListener('dblclick', onDoubleClick);
  box.addEventListener('panzoomchange', onChange);
  const resized = new ResizeObserver(() => isFit && goTo(fitScale(), true));
  resized.observe(frame);
  controls.scale.value = fitScale();
  controls.size.value = { width, height };
  controls.fit = () => goTo(fitScale(), true);
  controls.actualSize = () => goTo(1 / devicePixelRatio, false);
  controls.zoomBy = (factor) => {
    isFit = false;
    panzoom.zoom(panzoom.getScale() * factor, { animate: false });
  };
  return () => {
    resized.disconnect();
    frame.removeEventListener('wheel', onWheel);
    frame.removeEventListener('dblclick', onDoubleClick);
    box.removeEventListener('panzoomchange', onChange);
    controls.size.value = null;
    panzoom.destroy();
    panzoom.resetStyle();
  };
}

/** The second picture from the slider on; the slider is dragged, or moved by its arrow keys. */
function Slider({ picture, scale }: { picture: Picture; scale: number }) {
  const part = useSignal(50);
  const drag = (event: PointerEvent): void => {
    const handle = event.currentTarget as HTMLElement;
    const area = handle.parentElement?.getBoundingClientRect();
    if (area === undefined || !handle.hasPointerCapture(event.pointerId)) return;
    part.value = Math.min(100, Math.max(0, ((event.clientX - area.left) / area.width) * 100));
  };
  return (
    <>
      <img
        class="viewer-second"
        src={picture.url}
        alt={picture.label}
        draggable={false}
        style={{ clipPath: `inset(0 0 0 ${part.value}%)` }}
      />
      <div
        class="viewer-handle"
        role="slider"
        tabIndex={0}
        aria-label={t('How much of each picture is shown')}
        aria-valuenow={Math.round(part.value)}
        aria-valuemin={0}
        aria-valuemax={100}
        style={{ left: `${part.value}%`, '--unit': `${1 / scale}px` }}
        onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
        onPointerMove={drag}
        onKeyDown={(event) => {
          const by = { ArrowLeft: -2, ArrowRight: 2 }[event.key];
          if (by === undefined) return;
          part.value = Math.min(100, Math.max(0, part.value + by));
          event.stopPropagation();
          event.preventDefault();
        }}
      />
    </>
  );
}
