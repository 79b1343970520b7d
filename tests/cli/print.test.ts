import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { bytesText, safeText, table } from '../../cli/print.ts';
import { createReport } from '../../cli/report.ts';

describe('print', () => {
  it('takes terminal commands out of foreign texts', () => {
    expect(safeText('a\u001b[31mb\u0007\nc\u202e')).toBe('a\\x1b[31mb\\x07\nc\\x202e');
    expect(safeText('caf\u00e9 \u65e5\u672c')).toBe('caf\u00e9 \u65e5\u672c');
  });

  it('formats sizes and columns', () => {
    expect(bytesText(999)).toBe('999 bytes');
    expect(bytesText(1_994_000_000)).toBe('1.99 GB');
    expect(
      table([
        ['a', 1, 'x'],
        ['bbb', 20, 'y'],
      ]),
    ).toBe('a     1  x\nbbb  20  y');
  });
});

describe('createReport', () => {
  it('writes short lines to a log', () => {
    let text = '';
    const stream = new Writable({
      write(chunk: Buffer, _, next) {
        text += chunk.toString();
        next();
      },
    }) as unknown as NodeJS.WriteStream;
    const report = createReport({
      style: 'lines',
      title: (id) => `node ${id}`,
      nodeCount: 3,
      stream,
    });
    report.event({ type: 'cached', nodeIds: ['1'] });
    report.event({ type: 'node', nodeId: '2' });
    for (let value = 1; value <= 1000; value++) {
      report.event({ type: 'progress', nodeId: '2', value, max: 1000 });
    }
    report.event({ type: 'node', nodeId: '3' });
    report.end();
    const lines = text.trimEnd().split('\n');
    expect(lines[0]).toBe('[2/3] node 2');
    expect(lines.at(-1)).toBe('[3/3] node 3');
    expect(lines.length).toBeLessThan(16);
  });
});
