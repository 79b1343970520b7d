import { t } from '../locale/translate.ts';
import type { FieldParts } from './field-parts.ts';

export function TextField({ id, value, set, described }: FieldParts) {
  return (
    <input
      id={id}
      type="text"
      value={String(value ?? '')}
      onInput={(e) => set(e.currentTarget.value)}
      {...described}
    />
  );
}

/** A text of several lines that grows with what is in it. */
export function LongTextField({ id, value, set, described }: FieldParts) {
  const text = String(value ?? '');
  return (
    <textarea
      id={id}
      rows={Math.min(12, Math.max(3, text.split('\n').length, Math.ceil(text.length / 60)))}
      value={text}
      onInput={(e) => set(e.currentTarget.value)}
      {...described}
    />
  );
}

export function SwitchField({ id, value, set, described }: FieldParts) {
  return (
    <label class="form-switch">
      <input
        id={id}
        type="checkbox"
        role="switch"
        checked={value === true}
        onChange={(e) => set(e.currentTarget.checked)}
        {...described}
      />
      <span>{value === true ? t('On') : t('Off')}</span>
    </label>
  );
}

export function ChoiceField({ id, field, value, set, described }: FieldParts) {
  const options = field.options ?? [];
  const isThere = options.some((option) => option === value);
  return (
    <select
      id={id}
      value={isThere ? String(value) : ''}
      onChange={(e) => {
        const chosen = options.find((option) => String(option) === e.currentTarget.value);
        if (chosen !== undefined) set(chosen);
      }}
      {...described}
    >
      {!isThere && (
        <option value="" disabled>
          {value === null || value === ''
            ? t('Choose one')
            : t('{name} (not there)', { name: String(value) })}
        </option>
      )}
      {options.map((option) => (
        <option key={option} value={String(option)}>
          {String(option)}
        </option>
      ))}
    </select>
  );
}
