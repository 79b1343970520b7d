import { later } from '../later.ts';
import type { PageParts } from '../panels/parts.ts';

/** What can be done with subgraphs; its code is loaded when it is first wanted. */
export const subgraphEdits = (parts: PageParts) => {
  const { state } = parts;
  const edits = () => import('./edits.ts');
  return {
    convertSelection: () => later(state, edits, (code) => code.convertSelection(parts)),
    unpackSelection: () => later(state, edits, (code) => code.unpackSelection(parts)),
    convertGroups: (into: 'subgraph' | 'nodes') =>
      later(state, edits, (code) => code.convertGroups(parts, into)),
    openParameters: () =>
      later(
        state,
        () => import('./parameters-dialog.tsx'),
        (code) => code.openParameters(parts),
      ),
    publishSelected: () =>
      later(
        state,
        () => import('./blueprints.ts'),
        (code) => code.publishSelected(parts),
      ),
  };
};
