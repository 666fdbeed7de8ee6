import { BlockList, isIP } from 'node:net';

/** Ranges of the IANA special-purpose registries and of clouds' own services, by what is there. */
const special = (
  [
    ['this very machine', ['0.0.0.0/8', '127.0.0.0/8', '::/128', '::1/128']],
    ['a private network', ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7']],
    ['a carrier’s private network', ['100.64.0.0/10']],
    ['the local link, where clouds have their metadata services', ['169.254.0.0/16', 'fe80::/10']],
    // Azure's agents and DNS answer here, from within any of its networks.
    ['a cloud’s own service', ['168.63.129.16/32']],
    ['a site', ['fec0::/10']],
    ['a multicast group', ['224.0.0.0/4', 'ff00::/8']],
    ['benchmarks', ['198.18.0.0/15', '2001:2::/48']],
    ['documentation', ['192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24', '2001:db8::/32', '3fff::/20']],
    ['a tunnel, whose end may be private', ['192.88.99.0/24', '2001::/32', '2002::/16']],
    ['a range that is discarded', ['100::/64']],
    ['a local translator, whose end may be private', ['64:ff9b:1::/48']],
    ['a reserved range', ['192.0.0.0/24', '240.0.0.0/4', '2001::/23']],
  ] as const
).map(([what, ranges]) => ({ what, ranges: networks(ranges) }));

/** All of IPv6 that is handed out to be reached from anywhere. */
const globalUnicast = networks(['2000::/3']);

/** Networks to look addresses up in, those of each family by themselves: for `BlockList` ::/0 holds IPv4, too. */
export interface Networks {
  ipv4: BlockList;
  ipv6: BlockList;
}

/** Throws on what is no CIDR. */
export function networks(cidrs: readonly string[]): Networks {
  const lists = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const cidr of cidrs) {
    const [address = '', prefix = ''] = cidr.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    lists[family].addSubnet(address, Number.parseInt(prefix, 10), family);
  }
  return lists;
}

/**
 * Why nothing is fetched from this IP address: whose it is. Undefined where it is public, or in `exceptions`.
 * An IPv6 address that stands for an IPv4 one is judged as that.
 */
export function refusal(address: string, exceptions: Networks): string | undefined {
  const version = isIP(address);
  // A zone ("fe80::1%eth0") names a network interface: no public address has one.
  if (version === 0 || address.includes('%')) return 'no known kind';
  const inner = version === 6 ? embedded(address) : address;
  const family = inner === undefined ? 'ipv6' : 'ipv4';
  const judged = inner ?? address;
  if (exceptions[family].check(judged, family)) return undefined;
  const why = special.find(({ ranges }) => ranges[family].check(judged, family))?.what;
  if (why !== undefined || family === 'ipv4') return why;
  return globalUnicast.ipv6.check(judged, family) ? undefined : 'a reserved range';
}

/** The IPv4 address in one that is mapped (::ffff:0:0/96) or translated by NAT64 (64:ff9b::/96). */
function embedded(address: string): string | undefined {
  const groups = groupsOf(address);
  const prefix = groups.slice(0, 6).join(':');
  if (prefix !== '0:0:0:0:0:65535' && prefix !== '100:65435:0:0:0:0') return undefined;
  return groups
    .slice(6)
    .flatMap((group) => [group >> 8, group & 255])
    .join('.');
}

/** The eight numbers of a valid IPv6 address. */
function groupsOf(address: string): number[] {
  const [head = [], tail = []] = address.split('::').map((half) => half.split(':').flatMap(numbersOf));
  return [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => 0), ...tail];
}

function numbersOf(part: string): number[] {
  if (part === '') return [];
  if (!part.includes('.')) return [Number.parseInt(part, 16)];
  const [a = 0, b = 0, c = 0, d = 0] = part.split('.').map(Number);
  return [a * 256 + b, c * 256 + d];
}
