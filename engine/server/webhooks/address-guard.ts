/**
 * Which addresses the server may call on a client's behalf. A request that the server makes comes
 * from inside its network: without this check, anybody who can submit a job could reach what only
 * that network can (routers, databases, the credentials service of a cloud machine).
 */
import { BlockList, isIP } from 'node:net';
import { dotted, ipv6Words, mappedIpv4 } from '../ip-address.ts';

/** Never: this link, clouds' metadata services, group and reserved addresses. */
const FORBIDDEN = blockList(
  '0.0.0.0/8 169.254.0.0/16 192.0.0.0/24 100.100.100.200/32 224.0.0.0/4 240.0.0.0/4',
  '::/128 fe80::/10 fd00:ec2::254/128 ff00::/8 2001::/32 2001:db8::/32 100::/64',
);

/** Only with --allow-private-webhooks: this machine and networks behind routers. */
const PRIVATE = blockList(
  '10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 127.0.0.0/8 100.64.0.0/10 198.18.0.0/15',
  '::1/128 fc00::/7 fec0::/10',
);

/** Why the server does not call this address; undefined when it may. Text that is no address: a reason. */
export function refusedAddress(address: string, allowPrivate: boolean): string | undefined {
  const bare = address.replace(/%.*$/, '');
  const family = isIP(bare);
  if (family === 0) return 'not an IP address';
  if (family === 6) {
    const inner = embeddedIpv4(bare);
    if (inner !== undefined) return refusedAddress(inner, allowPrivate);
  }
  const type = family === 4 ? 'ipv4' : 'ipv6';
  if (FORBIDDEN.check(bare, type)) return `${bare} is a link-local, metadata or reserved address`;
  if (!allowPrivate && PRIVATE.check(bare, type)) {
    return `${bare} is a private or loopback address (--allow-private-webhooks lets them in)`;
  }
  return undefined;
}

/** The IPv4 address that an IPv6 address stands for: mapped, compatible, NAT64, 6to4. */
function embeddedIpv4(address: string): string | undefined {
  const words = ipv6Words(address);
  const isZero = (from: number, to: number): boolean =>
    words.slice(from, to).every((word) => word === 0);
  if (words[0] === 0x2002) return dotted(words[1], words[2]);
  if (words[0] === 0x64 && words[1] === 0xff9b) return dotted(words[6], words[7]);
  const mapped = mappedIpv4(words);
  if (mapped !== undefined) return mapped;
  if (isZero(0, 4) && words[4] === 0xffff && words[5] === 0) return dotted(words[6], words[7]);
  const isCompatible = isZero(0, 6) && (words[6] !== 0 || words[7] > 1);
  return isCompatible ? dotted(words[6], words[7]) : undefined;
}

function blockList(...ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges.flatMap((line) => line.split(' '))) {
    const [address, prefix] = range.split('/');
    list.addSubnet(address, Number(prefix), address.includes(':') ? 'ipv6' : 'ipv4');
  }
  return list;
}
