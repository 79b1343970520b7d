import { expect, it } from 'vitest';
import { drawWorkflow } from '../../../../engine/server/comfy/workflow-picture.ts';

it('draws nodes and the links between them', () => {
  const nodes = [
    { id: 1, pos: [0, 0], size: [100, 50] },
    { id: 2, pos: { 0: 300, 1: 0 }, size: { 0: 100, 1: 50 } },
    { id: 3 },
  ];
  const links = [
    [1, 1, 0, 2, 0, 'MODEL'],
    [2, 2, 0, 3, 0, 'MODEL'],
  ];
  const svg = drawWorkflow({ nodes, links });
  expect(svg.match(/<rect/g)).toHaveLength(2);
  expect(svg.match(/<path/g)).toHaveLength(1);
  expect(svg).toContain('viewBox="-80 -110 560 240"');
});

it('draws nothing of what is no workflow', () => {
  for (const flow of [
    {},
    { nodes: 'x', links: [1, null] },
    { nodes: [{ pos: ['"><script>', 1] }] },
  ]) {
    const svg = drawWorkflow(flow);
    expect(svg).not.toMatch(/rect|path|script/);
  }
});
