import { t } from '../../locale/translate.ts';
import { readHex } from './hex.ts';
import { closesOutside, placeNear } from './drop-down.ts';
import '../../style/values.css';

export interface ColorPickerOptions {
  /** `#rrggbb`. */
  readonly color: string;
  readonly x: number;
  readonly y: number;
  readonly label: string;
  /** Called for each colour that is tried. */
  readonly pick: (color: string) => void;
}

/** Opens the browser's colour picker beside a field for the colour's digits. */
export function openColorPicker({ color, x, y, label, pick }: ColorPickerOptions): void {
  const root = document.createElement('div');
  root.className = 'choice-list color-list';
  root.setAttribute('role', 'dialog');
  root.setAttribute('aria-label', label);
  const swatch = document.createElement('input');
  swatch.type = 'color';
  swatch.value = color;
  swatch.setAttribute('aria-label', label);
  const digits = document.createElement('input');
  digits.type = 'text';
  digits.value = color;
  digits.maxLength = 7;
  digits.spellcheck = false;
  digits.setAttribute('aria-label', t('Hex digits'));
  root.append(swatch, digits);
  const close = closesOutside(root);
  swatch.addEventListener('input', () => {
    digits.value = swatch.value;
    pick(swatch.value);
  });
  digits.addEventListener('input', () => {
    const hex = readHex(digits.value);
    if (hex === null) return;
    swatch.value = hex;
    pick(hex);
  });
  root.addEventListener('keydown', (event) => {
    event.stopPropagation();
    if (event.key !== 'Enter' && event.key !== 'Escape') return;
    event.preventDefault();
    close();
  });
  document.body.append(root);
  placeNear(root, { x, y });
  requestAnimationFrame(() => digits.select());
}
