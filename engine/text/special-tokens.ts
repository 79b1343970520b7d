/** Strings that stand for one token wherever they are in a text. */

/** A tokenizer of what lies between the special strings; `first` is whether the text begins with it. */
export type EncodePart = (part: string, first: boolean) => number[];

/** A function that takes special strings (the longest that fits) out of a text and encodes the rest. */
export function aroundSpecials(
  specials: ReadonlyMap<string, number>,
  encode: EncodePart,
): (text: string) => number[] {
  const longestFirst = [...specials.keys()].sort((a, b) => b.length - a.length);
  if (longestFirst.length === 0) return (text) => (text === '' ? [] : encode(text, true));
  const literal = longestFirst.map((text) => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'));
  const pattern = new RegExp(`(${literal.join('|')})`, 'u');
  return (text) => {
    const ids: number[] = [];
    let first = true;
    for (const part of text.split(pattern)) {
      if (part === '') continue;
      const special = specials.get(part);
      if (special !== undefined) ids.push(special);
      else for (const id of encode(part, first)) ids.push(id);
      first = false;
    }
    return ids;
  };
}
