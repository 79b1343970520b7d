import type { Texts } from '../texts.ts';

export const queue: Texts = {
  'Queue the workflow': '加入队列',
};
