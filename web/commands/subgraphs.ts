import type { PageParts } from '../panels/parts.ts';
import { subgraphEdits } from '../subgraphs/lazy.ts';
import type { Command } from './command.ts';

/** Graphs inside nodes. */
export function subgraphCommands(parts: PageParts): readonly Command[] {
  const edits = subgraphEdits(parts);
  return [
    {
      id: 'Comfy.Graph.ConvertToSubgraph',
      title: 'Convert the selection to a subgraph',
      group: 'Edit',
      keys: ['ctrl+shift+e'],
      run: edits.convertSelection,
    },
    {
      id: 'Comfy.Graph.UnpackSubgraph',
      title: 'Unpack the selected subgraphs',
      group: 'Edit',
      keys: [],
      run: edits.unpackSelection,
    },
    {
      id: 'Comfy.Graph.EditSubgraphWidgets',
      title: 'Parameters of the selected subgraph',
      group: 'Edit',
      keys: [],
      run: edits.openParameters,
    },
    {
      id: 'Comfy.PublishSubgraph',
      title: 'Publish the selected subgraph',
      group: 'Workflow',
      keys: [],
      run: edits.publishSelected,
    },
    {
      id: 'Comfy.Graph.ExitSubgraph',
      title: 'Leave the subgraph',
      group: 'View',
      keys: [],
      run: () => parts.editor.subgraphs.leave(),
    },
  ];
}
