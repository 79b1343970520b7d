import type { FormField } from '../../engine/workflow/form/form.ts';
import { t } from '../locale/translate.ts';
import { Icon } from '../panels/icons.tsx';
import type { FormModel } from './model.ts';

const ratios: readonly (readonly [name: string, width: number, height: number])[] = [
  ['Square', 1, 1],
  ['Landscape 4:3', 4, 3],
  ['Portrait 3:4', 3, 4],
  ['Landscape 3:2', 3, 2],
  ['Portrait 2:3', 2, 3],
  ['Wide 16:9', 16, 9],
  ['Tall 9:16', 9, 16],
];

/**
 * Sizes of about as many points as the form began with: what the model draws best.
 * `step` is what sides are multiples of.
 */
export function presetSizes(width: number, height: number, step: number) {
  const area = width * height;
  return ratios.map(([name, w, h]) => {
    const unit = Math.sqrt(area / (w * h));
    const side = (part: number): number => Math.max(step, Math.round((unit * part) / step) * step);
    return { name, width: side(w), height: side(h) };
  });
}

/** Shapes for a pair of width and height, and a button that turns the picture round. */
export function SizePresets(parts: {
  readonly width: FormField;
  readonly height: FormField;
  readonly model: FormModel;
}) {
  const { width, height, model } = parts;
  const [w, h] = [Number(model.values.value[width.key]), Number(model.values.value[height.key])];
  const step = Math.max(8, width.step ?? 8);
  const sizes = presetSizes(Number(width.default), Number(height.default), step);
  const chosen = sizes.findIndex((size) => size.width === w && size.height === h);
  const set = (size: { width: number; height: number }): void => {
    model.set(width.key, size.width);
    model.set(height.key, size.height);
  };
  return (
    <div class="form-presets">
      <select
        aria-label={t('Shape')}
        value={chosen}
        onChange={(e) => {
          const size = sizes[Number(e.currentTarget.value)];
          if (size !== undefined) set(size);
        }}
      >
        {chosen < 0 && <option value={-1}>{t('Own size')}</option>}
        {sizes.map((size, i) => (
          <option key={size.name} value={i}>
            {t(size.name)} · {size.width} × {size.height}
          </option>
        ))}
      </select>
      <button
        type="button"
        aria-label={t('Swap width and height')}
        title={t('Swap width and height')}
        onClick={() => set({ width: h, height: w })}
      >
        <Icon name="swap" />
      </button>
    </div>
  );
}
