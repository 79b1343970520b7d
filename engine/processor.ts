/** The processor of this machine. */
import { cpus } from 'node:os';

/** As the system names it, else `cpu`. */
export const processorName = (): string => cpus()[0]?.model.trim() ?? 'cpu';
