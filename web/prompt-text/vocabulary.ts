import type { Server } from '../api/server.ts';
import type { Vocabulary } from './completion.ts';

/** Milliseconds after which new files are looked for. */
const fresh = 30_000;
/** A list of words that a user may have among their files: one a line, up to the first comma. */
const wordFile = 'words.txt';

/** What prompts may name on this server, asked for when somebody types and kept for a while. */
export function createVocabulary(server: Server): () => Promise<Vocabulary> {
  let last: { readonly time: number; readonly known: Promise<Vocabulary> } | null = null;
  return () => {
    if (last === null || performance.now() - last.time > fresh) {
      last = { time: performance.now(), known: load(server) };
    }
    return last.known;
  };
}

async function load(server: Server): Promise<Vocabulary> {
  const none = (): string[] => [];
  const [embeddings, loras, words] = await Promise.all([
    server.names('embeddings').catch(none),
    server.names('models/loras').catch(none),
    server.userText(wordFile).catch(() => ''),
  ]);
  return {
    embeddings,
    loras: loras.map((name) => name.replace(/\.(safetensors|ckpt|pt|sft)$/i, '')),
    words: words
      .split('\n')
      .map((line) => line.split(',')[0].trim())
      .filter((word) => word !== ''),
  };
}
