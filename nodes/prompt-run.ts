/** What nodes that encode prompts run with. */
import type { Context } from '../engine/node.ts';
import type { PromptRun } from '../engine/values/clip.ts';

/** What encoding needs; what is left out of a prompt is shown on the node. */
export function promptRun({ services, signal, sendText }: Context): PromptRun {
  const { runtime, folders, log } = services;
  const shown: string[] = [];
  const warn = (message: string): void => {
    if (shown.includes(message)) return;
    shown.push(message);
    sendText(shown.join('\n'));
  };
  return { runtime, folders, log, signal, warn };
}
