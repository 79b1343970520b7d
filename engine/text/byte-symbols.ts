/** A printable stand-in for every byte (Radford et al. 2019, GPT-2): byte-level vocabularies are written in them. */

/** The stand-in of a byte, and its number among them: those that print as they are come first. */
export interface ByteSymbol {
  readonly text: string;
  readonly id: number;
}

/** The 256 stand-ins by byte. */
export function byteSymbols(): readonly ByteSymbol[] {
  const printable = (byte: number): boolean =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  const bytes = Array.from({ length: 256 }, (_, byte) => byte);
  const symbols: ByteSymbol[] = [];
  let id = 0;
  for (const byte of bytes.filter(printable)) {
    symbols[byte] = { text: String.fromCharCode(byte), id: id++ };
  }
  let other = 256;
  for (const byte of bytes.filter((byte) => !printable(byte))) {
    symbols[byte] = { text: String.fromCharCode(other++), id: id++ };
  }
  return symbols;
}
