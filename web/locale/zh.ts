import type { Texts } from './texts.ts';

/** 简体中文 */
export const texts: Texts = {
  'Queue the workflow': '加入队列',
};
