/**
 * Computed weights (merged models) in a file, where sessions can map them. It lies in the temporary
 * folder, so that the system may take its memory back, and goes with the source.
 */
import { open, stat } from 'node:fs/promises';
import { NoodleError } from '../errors.ts';
import { readBytes } from '../weights/read.ts';
import { type WeightEntry, type WeightSource, identityOf } from '../weights/source.ts';
import { discard, newDiskFile } from './weight-files.ts';

const stored = new WeakMap<WeightSource, Promise<WeightSource>>();
const leftFiles = new FinalizationRegistry<string>((path) => void discard(path));

/** Alignment of tensors in a file, as for prepared weights. */
const alignment = 64;

/**
 * The source with its computed weights in a file, written once; the source itself when it has none.
 * Throws INTERRUPTED when `signal` is aborted on the way, and what computing and writing throw.
 */
export function storedSource(source: WeightSource, signal?: AbortSignal): Promise<WeightSource> {
  let known = stored.get(source);
  if (!known) {
    known = store(source, signal);
    stored.set(source, known);
    known.catch(() => stored.delete(source));
  }
  return known;
}

async function store(source: WeightSource, signal?: AbortSignal): Promise<WeightSource> {
  const computed = [...source.tensors].filter(([, { bytes }]) => bytes.kind === 'computed');
  if (computed.length === 0) return source;
  let size = 0;
  const places = computed.map(([key, entry]) => {
    const place = { key, entry, offset: size };
    size += Math.ceil(entry.byteLength / alignment) * alignment;
    return place;
  });
  const path = await newDiskFile(size);
  try {
    const handle = await open(path, 'r+');
    try {
      for (const { entry, offset } of places) {
        if (signal?.aborted) throw new NoodleError('INTERRUPTED');
        const bytes = await readBytes(entry);
        for (let done = 0; done < bytes.byteLength;) {
          const length = Math.min(bytes.byteLength - done, 1 << 30);
          done += (await handle.write(bytes, done, length, offset + done)).bytesWritten;
        }
      }
    } finally {
      await handle.close();
    }
    const identity = identityOf(path, await stat(path, { bigint: true }));
    const tensors = new Map<string, WeightEntry>(source.tensors);
    for (const { key, entry, offset } of places) {
      tensors.set(key, { ...entry, bytes: { kind: 'file', path, offset, identity } });
    }
    leftFiles.register(source, path);
    return { ...source, tensors };
  } catch (error) {
    await discard(path);
    throw error;
  }
}
