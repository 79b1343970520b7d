import type { PageParts } from '../panels/parts.ts';
import type { Command } from './command.ts';

/** Starting and stopping work. */
export const queueCommands = ({ runner }: PageParts): readonly Command[] => [
  {
    id: 'Comfy.QueuePrompt',
    title: 'Queue the workflow',
    group: 'Queue',
    keys: ['ctrl+enter'],
    whileTyping: true,
    run: () => void runner.queue(),
  },
  {
    id: 'Comfy.QueuePromptFront',
    title: 'Queue the workflow in front',
    group: 'Queue',
    keys: ['ctrl+shift+enter'],
    whileTyping: true,
    run: () => void runner.queue({ front: true }),
  },
  {
    id: 'Comfy.QueueSelectedOutputNodes',
    title: 'Run selected outputs only',
    group: 'Queue',
    keys: [],
    run: () => void runner.queueSelected(),
  },
  {
    id: 'Comfy.Interrupt',
    title: 'Cancel the running prompt',
    group: 'Queue',
    keys: ['ctrl+alt+enter'],
    whileTyping: true,
    run: () => runner.cancel(),
  },
];
