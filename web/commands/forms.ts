import { later } from '../later.ts';
import { t } from '../locale/translate.ts';
import type { PageParts } from '../panels/parts.ts';
import { toast } from '../state.ts';
import type { Command } from './command.ts';

/** The open workflow for people who want no graph. */
export const formCommands = (parts: PageParts): readonly Command[] => [
  {
    id: 'Noodle.EditForm',
    title: 'Edit the form of the workflow',
    group: 'Workflow',
    keys: [],
    run: () =>
      later(
        parts.state,
        () => import('../forms/open-builder.ts'),
        ({ openFormBuilder }) => openFormBuilder(parts),
      ),
  },
  {
    id: 'Noodle.OpenForm',
    title: 'Open the workflow as a form',
    group: 'Workflow',
    keys: [],
    run: () => {
      const { origin } = parts.state.document.value;
      if (origin.value === null) {
        toast(parts.state, t('Save the workflow first: forms are made of saved ones'));
        return;
      }
      const id = origin.value.replace(/\.json$/, '');
      window.open(parts.server.url(`ui/run/${encodeURIComponent(id)}`), '_blank');
    },
  },
  {
    id: 'Noodle.OpenForms',
    title: 'All forms',
    group: 'Workflow',
    keys: [],
    run: () => void window.open(parts.server.url('ui/run'), '_blank'),
  },
];
