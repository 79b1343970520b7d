import { signal } from '@preact/signals';

const query = window.matchMedia('(width < 700px)');

/** Whether the page is a phone's: a form of the open workflow instead of the graph's tools. */
export const narrow = signal(query.matches);
query.addEventListener('change', ({ matches }) => (narrow.value = matches));
