import { signal } from '@preact/signals';

/** What the page shows, as its address says it behind the `#`. */
export type View =
  | { readonly page: 'runs' | 'datasets' | 'new' }
  | { readonly page: 'run' | 'dataset'; readonly name: string };

/** Addresses are whole ones: the page has a base, which those of a fragment alone would lead to. */
export const addressOf = (view: View): string =>
  `ui/train#${view.page}${'name' in view ? `/${encodeURIComponent(view.name)}` : ''}`;

function viewIn(fragment: string): View {
  const [, page = '', name] = /^#?([a-z]*)(?:\/(.+))?$/.exec(fragment) ?? [];
  if ((page === 'run' || page === 'dataset') && name !== undefined) {
    return { page, name: decoded(name) };
  }
  return { page: page === 'datasets' || page === 'new' ? page : 'runs' };
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name; // as somebody typed it
  }
}

/** What is shown now; follows the address. */
export const view = signal<View>(viewIn(location.hash));
addEventListener('hashchange', () => (view.value = viewIn(location.hash)));

/** Goes there as if a link was followed. */
export const show = (next: View): void =>
  location.assign(new URL(addressOf(next), document.baseURI));
