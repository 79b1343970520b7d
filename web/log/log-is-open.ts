import { signal } from '@preact/signals';

/** Whether the panel with the log, at the bottom of the page, is open. */
export const logIsOpen = signal(false);
