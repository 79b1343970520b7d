/** What a prompt may name: files on the server, and words of a user's own list. */
export interface Vocabulary {
  readonly embeddings: readonly string[];
  readonly loras: readonly string[];
  readonly words: readonly string[];
}

/** A text that may stand for what is being typed. */
export interface Suggestion {
  /** What is shown; what it is follows in soft letters. */
  readonly name: string;
  readonly kind: 'embedding' | 'lora' | 'word';
  readonly text: string;
  /** The part of `text` that is selected afterwards, as a weight to be typed over. */
  readonly select: readonly [start: number, end: number] | null;
}

/** What can be typed on from the caret. */
export interface Completion {
  /** The part of the text that a suggestion takes the place of. */
  readonly from: number;
  readonly to: number;
  readonly suggestions: readonly Suggestion[];
  /** It was asked for (`embedding:`, `<lora:`): Enter takes the first, else it stays a new line. */
  readonly asked: boolean;
}

const most = 40;
/** Letters of a plain word before anything is suggested. */
const least = 3;

/** What could be meant by the word before the caret; null where nothing fits. */
export function completionAt(text: string, caret: number, known: Vocabulary): Completion | null {
  const before = text.slice(Math.max(0, caret - 200), caret);
  const found = (length: number, suggestions: readonly Suggestion[], asked: boolean) =>
    suggestions.length === 0
      ? null
      : { from: caret - length, to: caret, suggestions: suggestions.slice(0, most), asked };

  const embedding = /(?:^|[\s,(])(embedding:([^\s,():]*))$/i.exec(before);
  if (embedding !== null) {
    const names = ranked(known.embeddings, embedding[2]);
    return found(embedding[1].length, names.map(embeddingOf), true);
  }
  const lora = /<lora:([^<>:]*)$/i.exec(before);
  if (lora !== null) return found(lora[0].length, ranked(known.loras, lora[1]).map(loraOf), true);

  const word = /[\p{L}\p{N}_][^\s,()<>:]*$/u.exec(before)?.[0] ?? '';
  if (word.length < least) return null;
  const embeddings = ranked(known.embeddings, word).map(embeddingOf);
  const words = ranked(known.words, word).filter((w) => w.toLowerCase() !== word.toLowerCase());
  const plain = words.map((name): Suggestion => ({ name, kind: 'word', text: name, select: null }));
  return found(word.length, [...embeddings, ...plain], false);
}

const embeddingOf = (name: string): Suggestion => ({
  name,
  kind: 'embedding',
  text: `embedding:${name}`,
  select: null,
});

const loraOf = (name: string): Suggestion => {
  const start = `<lora:${name}:`.length;
  return { name, kind: 'lora', text: `<lora:${name}:1>`, select: [start, start + 1] };
};

/** Names with all letters of `typed` in a row: those that begin with them first, short ones first. */
function ranked(names: readonly string[], typed: string): string[] {
  const wanted = typed.toLowerCase();
  const place = (name: string): number => {
    const lower = name.toLowerCase();
    const at = lower.indexOf(wanted);
    if (at < 0) return -1;
    return at === 0 || lower[at - 1] === '/' ? 0 : /[\p{L}\p{N}]/u.test(lower[at - 1]) ? 2 : 1;
  };
  return names
    .map((name) => ({ name, at: place(name) }))
    .filter(({ at }) => at >= 0)
    .sort((a, b) => a.at - b.at || a.name.length - b.name.length)
    .slice(0, most)
    .map(({ name }) => name);
}
