/**
 * How well a text fits what was typed, or null where it does not: every word must be in it, its
 * letters in order. Better: the start of the text, then starts of words, then letters side by side.
 */
export function match(text: string, typed: string): number | null {
  const within = text.toLowerCase();
  let total = 0;
  for (const word of typed.toLowerCase().split(/\s+/).filter(Boolean)) {
    const score = matchWord(within, word);
    if (score === null) return null;
    total += score;
  }
  return total;
}

function matchWord(text: string, word: string): number | null {
  const at = text.indexOf(word);
  if (at === 0) return 100;
  if (at > 0) return isWordStart(text, at) ? 80 : 60;
  let from = 0;
  let starts = 0;
  for (const letter of word) {
    const found = text.indexOf(letter, from);
    if (found < 0) return null;
    if (isWordStart(text, found)) starts++;
    from = found + 1;
  }
  // Letters strewn over a text are no match unless they begin its words.
  return starts * 2 >= word.length ? 10 + starts : null;
}

const isWordStart = (text: string, at: number): boolean => at === 0 || /\W/.test(text[at - 1]);
