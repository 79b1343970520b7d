/**
 * Evaluates what people type into number fields: digits, + - * / ( ) and decimals, e.g. `512*1.5`.
 * Returns null when the text is not such an expression (no names, no calls: nothing is executed).
 */
export function evaluate(text: string): number | null {
  const tokens = text.replace(/,/g, '.').match(/\d*\.?\d+(?:[eE][+-]?\d+)?|\S/g) ?? [];
  let at = 0;

  const sum = (): number => {
    let value = product();
    while (tokens[at] === '+' || tokens[at] === '-') {
      value = tokens[at++] === '+' ? value + product() : value - product();
    }
    return value;
  };
  const product = (): number => {
    let value = atom();
    while (tokens[at] === '*' || tokens[at] === '/') {
      value = tokens[at++] === '*' ? value * atom() : value / atom();
    }
    return value;
  };
  const atom = (): number => {
    const token = tokens[at++];
    if (token === '-') return -atom();
    if (token === '+') return atom();
    if (token === '(') {
      const value = sum();
      return tokens[at++] === ')' ? value : NaN;
    }
    return token === undefined ? NaN : Number(token);
  };

  if (tokens.length === 0) return null;
  const value = sum();
  return at === tokens.length && Number.isFinite(value) ? value : null;
}
