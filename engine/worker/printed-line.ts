/** What engines print, for the log. */
import type { LogLevel } from '../log.ts';

/** What Dawn writes when it cannot have memory for weights; ONNX Runtime goes on and computes with zeros. */
const noMemory = /WebGPU device error\(3\)/;

/** A line that an engine or native code in it printed, as it is logged. */
export function printedLine(line: string): [level: LogLevel, text: string] {
  if (!noMemory.test(line)) return ['INFO', line];
  const remedy =
    'the device ran out of memory and pictures may be wrong: --lowvram, or --device cpu';
  return ['WARNING', `${remedy} (${line})`];
}
