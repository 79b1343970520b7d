import { signal } from '@preact/signals';
import type { Texts } from './texts.ts';

/** Languages of the page besides English, by the name that `Comfy.Locale` has for them. */
const languages: Readonly<Record<string, () => Promise<{ readonly texts: Texts }>>> = {
  zh: () => import('./zh/index.ts'),
};

const current = signal<Texts>({});

/**
 * An English text in the language of the page; `{name}` stands for a value. Components that
 * call this are drawn anew when the language changes. Give whole sentences, never pieces.
 */
export function t(english: string, values: Readonly<Record<string, string | number>> = {}): string {
  const text = current.value[english] ?? english;
  return text.replace(/\{(\w+)\}/g, (whole, name: string) =>
    Object.hasOwn(values, name) ? String(values[name]) : whole,
  );
}

/** Changes the language of the page; one that it does not speak is English. */
export async function speak(language: string): Promise<void> {
  document.documentElement.lang = language in languages ? language : 'en';
  current.value = language in languages ? (await languages[language]()).texts : {};
}
