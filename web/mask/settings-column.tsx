import type { Signal } from '@preact/signals';
import { t } from '../locale/translate.ts';
import { limits, type Brush } from './brush.ts';
import type { LayerName, Painting } from './painting.ts';
import type { Tool } from './tools.ts';

interface ColumnParts {
  readonly tool: Tool;
  readonly painting: Painting;
  readonly brush: Brush;
  readonly saving: Signal<boolean>;
  /** Why the last attempt to save failed. */
  readonly problem: Signal<string>;
  readonly save: () => void;
  readonly cancel: () => void;
}

const layerNames: readonly (readonly [LayerName, string])[] = [
  ['mask', 'Mask'],
  ['paint', 'Paint'],
];

/** A range of the column: what it is called, its step, and how its value reads. */
const ranges = {
  size: { label: 'Size', step: 1, shown: (v: number) => `${v} px` },
  hardness: { label: 'Hardness', step: 0.01, shown: percent },
  opacity: { label: 'Opacity', step: 0.01, shown: percent },
  tolerance: { label: 'Tolerance', step: 1, shown: String },
  tintOpacity: { label: 'Mask opacity', step: 0.01, shown: percent },
} as const;

/** Layer, brush, and what is done with the whole; save and cancel below. */
export function SettingsColumn({
  tool,
  painting,
  brush,
  saving,
  problem,
  save,
  cancel,
}: ColumnParts) {
  const paints = painting.target.value === 'paint';
  const masks = painting.names.includes('mask');
  return (
    <div class="mask-settings">
      {painting.names.length > 1 && (
        <div class="mask-layers" role="radiogroup" aria-label={t('Layer')}>
          {layerNames.map(([name, label]) => (
            <button
              key={name}
              type="button"
              role="radio"
              aria-checked={painting.target.value === name}
              onClick={() => (painting.target.value = name)}
            >
              {t(label)}
            </button>
          ))}
        </div>
      )}
      {tool.settings.map((name) => (
        <Range key={name} name={name} brush={brush} />
      ))}
      {paints && <Colour label={t('Colour')} value={brush.colour} />}
      <hr />
      {masks && (
        <>
          <Colour label={t('Mask colour')} value={brush.tint} />
          <Range name="tintOpacity" brush={brush} />
          <hr />
        </>
      )}
      <div class="mask-whole">
        {masks && (
          <button type="button" title={`${t('Invert the mask')} (I)`} onClick={painting.invert}>
            {t('Invert')}
          </button>
        )}
        <button type="button" title={`${t('Clear the layer')} (Delete)`} onClick={painting.clear}>
          {t('Clear')}
        </button>
      </div>
      <p class="soft mask-hint">
        {t(
          'Right button erases. [ ] changes the size, Alt drag size and hardness, Shift draws a line. Space drag moves, the wheel zooms.',
        )}
      </p>
      <span class="grow" />
      {problem.value !== '' && (
        <p class="mask-problem" role="alert">
          {problem.value}
        </p>
      )}
      <footer>
        <button type="button" onClick={cancel}>
          {t('Cancel')}
        </button>
        <button type="button" class="primary" disabled={saving.value} onClick={save}>
          {saving.value ? t('Saving') : t('Save')}
        </button>
      </footer>
    </div>
  );
}

function Range({ name, brush }: { name: keyof typeof ranges; brush: Brush }) {
  const { label, step, shown } = ranges[name];
  const { min, max } = limits[name];
  const value = brush[name];
  // Large brushes need less exact steps than small ones.
  const bent = name === 'size';
  const toSlider = (v: number): number => (bent ? Math.sqrt(v / max) * 100 : v);
  const fromSlider = (v: number): number =>
    bent ? Math.max(min, Math.round((v / 100) ** 2 * max)) : v;
  return (
    <label class="mask-range">
      <span>{t(label)}</span>
      <output>{shown(value.value)}</output>
      <input
        type="range"
        aria-label={t(label)}
        min={toSlider(min)}
        max={toSlider(max)}
        step={bent ? 'any' : step}
        value={toSlider(value.value)}
        onInput={(event) => (value.value = fromSlider(Number(event.currentTarget.value)))}
      />
    </label>
  );
}

function Colour({ label, value }: { label: string; value: Signal<string> }) {
  return (
    <label class="mask-colour">
      <span>{label}</span>
      <input
        type="color"
        value={value.value}
        onInput={(event) => (value.value = event.currentTarget.value)}
      />
    </label>
  );
}

function percent(value: number): string {
  return `${Math.round(value * 100)} %`;
}
