/**
 * How many bits weights in whole numbers may have on this processor. Instructions made for such products
 * (VNNI, AMX) add four of them in 32 bits; before them, AVX2 and AVX-512 add two in 16 bits and hold the
 * sum there at its largest: 255 * 127 * 2 is too much, 255 * 63 * 2 is not.
 */
import { readFileSync } from 'node:fs';

const exact = /\b(avx512_vnni|avx_vnni|amx_int8)\b/;

/** 8, or 7 where products may overflow or nothing is known. `cpuinfo` is Linux's /proc/cpuinfo. */
export function wholeNumberBits(cpuinfo = readCpuInfo()): 7 | 8 {
  const flags = /^flags\s*:.*$/m.exec(cpuinfo)?.[0] ?? '';
  return exact.test(flags) ? 8 : 7;
}

function readCpuInfo(): string {
  try {
    return readFileSync('/proc/cpuinfo', 'latin1');
  } catch {
    return '';
  }
}
