import type { PageParts } from '../panels/parts.ts';
import { convertSelection, unpackSelection } from '../subgraphs/edits.ts';
import { publishSelected } from '../subgraphs/blueprints.ts';
import { openParameters } from '../subgraphs/parameters-dialog.tsx';
import type { Command } from './command.ts';

/** Graphs inside nodes. */
export const subgraphCommands = (parts: PageParts): readonly Command[] => [
  {
    id: 'Comfy.Graph.ConvertToSubgraph',
    title: 'Convert the selection to a subgraph',
    group: 'Edit',
    keys: ['ctrl+shift+e'],
    run: () => convertSelection(parts),
  },
  {
    id: 'Comfy.Graph.UnpackSubgraph',
    title: 'Unpack the selected subgraphs',
    group: 'Edit',
    keys: [],
    run: () => unpackSelection(parts),
  },
  {
    id: 'Comfy.Graph.EditSubgraphWidgets',
    title: 'Parameters of the selected subgraph',
    group: 'Edit',
    keys: [],
    run: () => openParameters(parts),
  },
  {
    id: 'Comfy.PublishSubgraph',
    title: 'Publish the selected subgraph',
    group: 'Workflow',
    keys: [],
    run: () => void publishSelected(parts),
  },
  {
    id: 'Comfy.Graph.ExitSubgraph',
    title: 'Leave the subgraph',
    group: 'View',
    keys: [],
    run: () => parts.editor.subgraphs.leave(),
  },
];
