/** What nodes that open networks run with, and those that encode prompts. */
import type { Context } from '../engine/node.ts';
import type { PromptRun } from '../engine/values/clip.ts';
import type { NetworkRun } from '../engine/values/network.ts';

/** What opening a network and calling it needs. */
export const networkRun = ({ services, signal }: Context): NetworkRun => ({
  runtime: services.runtime,
  signal,
});

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
