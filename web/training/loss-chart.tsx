import { useSignal } from '@preact/signals';
import { useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import { t } from '../locale/translate.ts';
import type { Loss } from './api.ts';
import { bounds, type Point, smoothed, thinned, ticks } from './curve.ts';
import { numberText } from './run-words.ts';

const HEIGHT = 260;
const EDGE = { left: 52, right: 12, top: 12, bottom: 26 };

/** The losses of a run as a curve, and smoothed; the pointer or the arrow keys read single steps. */
export function LossChart({ losses }: { readonly losses: readonly Loss[] }) {
  const points = useMemo(
    () => losses.flatMap(({ step, loss }) => (loss === null ? [] : [{ step, value: loss }])),
    [losses],
  );
  return points.length === 0 ? (
    <p class="empty">{t('The curve of the loss appears with the first step.')}</p>
  ) : (
    <Plot losses={losses} points={points} />
  );
}

interface PlotParts {
  readonly losses: readonly Loss[];
  /** Those of them that are numbers: at least one. */
  readonly points: readonly Point[];
}

function Plot({ losses, points }: PlotParts) {
  const box = useRef<HTMLDivElement>(null);
  const width = useSignal(600);
  const weight = useSignal(0.9);
  const read = useSignal<number | null>(null);
  useLayoutEffect(() => {
    const element = box.current!;
    const measure = (): void => {
      width.value = Math.max(240, element.clientWidth);
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const smooth = useMemo(() => smoothed(points, weight.value), [points, weight.value]);
  const shown = useMemo(() => scaleOf(points, width.value), [points, width.value]);
  const index = read.value === null ? points.length - 1 : Math.min(read.value, points.length - 1);
  const point = points[index];
  const rate = losses.find(({ step }) => step === point.step)?.rate ?? null;
  const at = (event: PointerEvent): void => {
    const left = (event.currentTarget as Element).getBoundingClientRect().left;
    read.value = nearest(points, shown.stepAt(event.clientX - left));
  };
  const move = (event: KeyboardEvent): void => {
    const by = { ArrowLeft: -1, ArrowRight: 1, PageUp: -50, PageDown: 50 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    read.value = Math.max(0, Math.min(points.length - 1, index + by));
  };
  const columns = width.value - EDGE.left - EDGE.right;
  return (
    <figure class="loss-chart">
      <figcaption>
        <output aria-live="off">
          {t('Step {step}: loss {loss}, smoothed {smoothed}', {
            step: point.step,
            loss: numberText(point.value),
            smoothed: numberText(smooth[index].value),
          })}
          {rate !== null && <small> {t('rate {rate}', { rate: numberText(rate) })}</small>}
        </output>
        <label>
          {t('Smoothing')}
          <input
            type="range"
            min={0}
            max={0.99}
            step={0.01}
            value={weight.value}
            onInput={(e) => (weight.value = Number(e.currentTarget.value))}
          />
        </label>
      </figcaption>
      <div
        ref={box}
        class="loss-plot"
        role="slider"
        tabIndex={0}
        aria-label={t('Loss by step')}
        aria-valuemin={points[0].step}
        aria-valuemax={points[points.length - 1].step}
        aria-valuenow={point.step}
        aria-valuetext={t('Step {step}: loss {loss}, smoothed {smoothed}', {
          step: point.step,
          loss: numberText(point.value),
          smoothed: numberText(smooth[index].value),
        })}
        onKeyDown={move}
        onPointerMove={at}
        onPointerDown={at}
        onPointerLeave={() => (read.value = null)}
      >
        <svg width={width.value} height={HEIGHT} aria-hidden="true">
          {shown.rows.map(({ y, label }) => (
            <g key={label}>
              <line class="grid" x1={EDGE.left} x2={width.value - EDGE.right} y1={y} y2={y} />
              <text x={EDGE.left - 8} y={y + 4} text-anchor="end">
                {label}
              </text>
            </g>
          ))}
          {shown.columns.map(({ x, label }) => (
            <text key={label} x={x} y={HEIGHT - 6} text-anchor="middle">
              {label}
            </text>
          ))}
          <polyline class="raw" points={shown.line(thinned(points, columns))} />
          <polyline class="smooth" points={shown.line(thinned(smooth, columns))} />
          <circle cx={shown.x(point)} cy={shown.y(smooth[index])} r={4} />
        </svg>
      </div>
    </figure>
  );
}

/** Where steps and losses are drawn. */
function scaleOf(points: readonly Point[], width: number) {
  const { low, high } = bounds(points);
  const first = points[0]?.step ?? 0;
  const last = Math.max(first + 1, points.at(-1)?.step ?? 1);
  const across = width - EDGE.left - EDGE.right;
  const down = HEIGHT - EDGE.top - EDGE.bottom;
  const x = ({ step }: Pick<Point, 'step'>): number =>
    EDGE.left + ((step - first) / (last - first)) * across;
  const y = ({ value }: Pick<Point, 'value'>): number =>
    EDGE.top + (1 - (Math.min(value, high) - low) / (high - low)) * down;
  return {
    x,
    y,
    line: (some: readonly Point[]): string =>
      some.map((point) => `${x(point).toFixed(1)},${y(point).toFixed(1)}`).join(' '),
    stepAt: (left: number): number => first + ((left - EDGE.left) / across) * (last - first),
    rows: ticks(low, high, 5).map((value) => ({ y: y({ value }), label: numberText(value) })),
    columns: ticks(first, last, Math.max(2, Math.floor(across / 110)))
      .filter(Number.isInteger)
      .map((step) => ({ x: x({ step }), label: String(step) })),
  };
}

/** The place of the point whose step is nearest. */
function nearest(points: readonly Point[], step: number): number {
  let [from, to] = [0, points.length - 1];
  while (to - from > 1) {
    const middle = (from + to) >> 1;
    if (points[middle].step <= step) from = middle;
    else to = middle;
  }
  return step - points[from].step <= points[to].step - step ? from : to;
}
