import { readNumber } from '../../engine/workflow/form/read-value.ts';
import { t } from '../locale/translate.ts';
import { Icon } from '../panels/icons.tsx';
import type { FieldParts } from './field-parts.ts';
import { randomSeed } from './values.ts';

/** A number, with a slider where a range is known that makes sense. */
export function NumberField({ id, field, value, set, described }: FieldParts) {
  const { slider, min, max, kind } = field;
  const step = field.step ?? slider?.step ?? (kind === 'int' ? 1 : 0.01);
  return (
    <div class="form-number">
      {slider !== null && (
        <input
          type="range"
          aria-label={t(field.label)}
          min={slider.min}
          max={slider.max}
          step={slider.step}
          value={Number(value)}
          onInput={(e) => set(Number(e.currentTarget.value))}
        />
      )}
      <input
        id={id}
        type="number"
        inputMode={kind === 'int' ? 'numeric' : 'decimal'}
        min={min ?? undefined}
        max={max ?? undefined}
        step={kind === 'int' ? step : 'any'}
        value={value === null ? '' : String(value)}
        onInput={(e) => set(readNumber(e.currentTarget.value, kind === 'int'))}
        {...described}
      />
    </div>
  );
}

/** A seed: drawn for every run, or kept. */
export function SeedField({ id, field, value, set, model, described }: FieldParts) {
  const isDrawn = model.drawn.value.has(field.key);
  const keep = (seed: number | bigint | null): void => {
    model.drawSeed(field.key, false);
    set(seed);
  };
  return (
    <div class="form-seed">
      <input
        id={id}
        type="text"
        inputMode="numeric"
        pattern="[0-9]*"
        value={value === null ? '' : String(value)}
        onInput={(e) => keep(readNumber(e.currentTarget.value, true))}
        {...described}
      />
      <button
        type="button"
        aria-label={t('Draw another seed')}
        title={t('Draw another seed')}
        onClick={() => keep(randomSeed(field))}
      >
        <Icon name="dice" />
      </button>
      <label class="form-switch">
        <input
          type="checkbox"
          role="switch"
          checked={isDrawn}
          onChange={(e) => model.drawSeed(field.key, e.currentTarget.checked)}
        />
        <span>{t('New for every run')}</span>
      </label>
    </div>
  );
}
