/** What is printed, in a file as well. */
import { appendFileSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Adds everything that is printed from now on to the end of a file, whose folder is made where there is none. Answers
 * with what ends that. Errors of the file system pass through at once; later ones are said, once.
 */
export function copyOutput(file: string): () => void {
  mkdirSync(dirname(file), { recursive: true });
  appendFileSync(file, '');
  const streams = [process.stdout, process.stderr];
  const originals = streams.map((stream) => stream.write.bind(stream));
  const restore = (): void =>
    streams.forEach((stream, i) => {
      stream.write = originals[i];
    });
  const copy = (chunk: Uint8Array | string): void => {
    try {
      appendFileSync(file, chunk);
    } catch (error) {
      restore();
      console.error(`the log is not written any more: ${(error as Error).message}`);
    }
  };
  streams.forEach((stream, i) => {
    stream.write = (chunk: Uint8Array | string, ...rest: []) => {
      copy(chunk);
      return originals[i](chunk, ...rest);
    };
  });
  return restore;
}
