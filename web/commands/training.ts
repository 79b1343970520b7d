import type { PageParts } from '../panels/parts.ts';
import type { Command } from './command.ts';

/** The way to where models learn. */
export const trainingCommands = ({ server }: PageParts): readonly Command[] => [
  {
    id: 'Noodle.OpenTraining',
    title: 'Training: runs and data sets',
    group: 'Workflow',
    keys: [],
    run: () => void window.open(server.url('ui/train'), '_blank'),
  },
];
