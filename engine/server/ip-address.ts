/** IPv6 addresses as the numbers they are. */
import ipaddr from 'ipaddr.js';

/** The eight words of a valid IPv6 address; a zone (`%eth0`) is left out. */
export function ipv6Words(address: string): readonly number[] {
  // Addresses in URLs have one form; the dotted tail of old ones is unknown to the library.
  const { hostname } = new URL(`http://[${address.replace(/%.*$/, '')}]`);
  return ipaddr.IPv6.parse(hostname.slice(1, -1)).parts;
}

/** The IPv4 address that an IPv4-mapped IPv6 address (`::ffff:…`) stands for. */
export function mappedIpv4(words: readonly number[]): string | undefined {
  return words[5] === 0xffff && words.slice(0, 5).every((word) => word === 0)
    ? dotted(words[6], words[7])
    : undefined;
}

/** Two words as an IPv4 address. */
export const dotted = (high: number, low: number): string =>
  [high >> 8, high & 255, low >> 8, low & 255].join('.');
