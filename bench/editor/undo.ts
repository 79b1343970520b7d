/**
 * What an undo step of the editor costs: the state of a graph of 301 nodes is taken after one of them moved,
 * beside writing the whole workflow. Wanted: under 10 ms.
 *
 *     node --import ./bin/typescript.js bench/editor/undo.ts
 */
import { readFileSync } from 'node:fs';
import { LGraph } from '@comfyorg/litegraph';
import { parseJson, stringifyJson, toPlain } from '../../engine/workflow/lossless-json.ts';
import { objectInfo } from '../../tests/web/fixtures/object-info.ts';
import { noHooks } from '../../web/graph/hooks.ts';
import { useExactCopies } from '../../web/graph/litegraph-setup.ts';
import { loadWorkflow } from '../../web/graph/load.ts';
import { registerNodes } from '../../web/graph/node-class.ts';
import { saveWorkflow } from '../../web/graph/save.ts';
import { takeSnapshot } from '../../web/graph/snapshot.ts';

type Item = Record<string, unknown>;

useExactCopies();
registerNodes(objectInfo, noHooks);
const file = manyNodes(43);
const graph = new LGraph();
loadWorkflow(graph, file);

let before = takeSnapshot(graph, file);
const steps: number[] = [];
const whole: number[] = [];
for (let i = 0; i < 15; i++) {
  graph.nodes[i * 11].pos[0] += 10;
  steps.push(timed(() => (before = takeSnapshot(graph, file, before))));
  whole.push(timed(() => stringifyJson(saveWorkflow(graph, file), { style: 'compact' })));
}
const text = (times: number[]): string =>
  `${Math.min(...times).toFixed(1)} ms at least, ${times.sort((a, b) => a - b)[7].toFixed(1)} in the middle`;
console.log(
  `${graph.nodes.length} nodes: an undo step ${text(steps)}; the whole workflow ${text(whole)}`,
);

function timed(run: () => unknown): number {
  const start = performance.now();
  run();
  return performance.now() - start;
}

/** Many copies of the default workflow in one graph: `count` times its seven nodes. */
function manyNodes(count: number): Item {
  const file = toPlain(
    parseJson(readFileSync(new URL('../../workflows/default.json', import.meta.url), 'utf8')),
  ) as {
    nodes: { id: number; pos: number[]; inputs: Item[]; outputs: Item[] }[];
    links: number[][];
  };
  const nodes: Item[] = [];
  const links: unknown[][] = [];
  for (let k = 0; k < count; k++) {
    const by = (id: unknown) => (typeof id === 'number' ? id + 100 * k : id);
    for (const node of file.nodes) {
      nodes.push({
        ...structuredClone(node),
        id: by(node.id),
        pos: [node.pos[0], node.pos[1] + 700 * k],
        inputs: node.inputs?.map((slot) => ({ ...slot, link: by(slot.link) })),
        outputs: node.outputs?.map((slot) => ({
          ...slot,
          links: (slot.links as unknown[] | undefined)?.map(by),
        })),
      });
    }
    for (const [id, from, out, to, into, type] of file.links) {
      links.push([by(id), by(from), out, by(to), into, type]);
    }
  }
  return { ...file, nodes, links };
}
