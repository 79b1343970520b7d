/** Hashes as the API writes them; apart from hashing, so that the server's thread need not load that. */

/** The 64 digits of `blake3:<hex>`, in lower case; undefined for anything else. */
export function parseHash(text: string): string | undefined {
  return /^\s*blake3:([0-9a-f]{64})\s*$/i.exec(text)?.[1].toLowerCase();
}
