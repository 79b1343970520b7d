import { signal } from '@preact/signals';

/** When workflows are queued besides by hand: never, when something changes, again and again. */
export const queueModes = ['once', 'change', 'instant'] as const;
export type QueueMode = (typeof queueModes)[number];

export const queueMode = signal<QueueMode>('once');
