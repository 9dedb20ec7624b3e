import { BlockList, isIP } from 'node:net';

/** Networks that are nobody's outside: this machine, its neighbours, the metadata services of clouds, what is reserved. */
const INTERNAL: readonly (readonly [network: string, prefix: number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  // all of IPv6 but the global unicast addresses, and of those what holds an IPv4 address or is for documents
  ['::', 3],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
  ['4000::', 2],
  ['8000::', 1],
];

// a list each: one for both takes an IPv4 address for the IPv6 address that it is mapped to
const [internal4, internal6] = [new BlockList(), new BlockList()];
for (const [network, prefix] of INTERNAL) {
  if (network.includes(':')) internal6.addSubnet(network, prefix, 'ipv6');
  else internal4.addSubnet(network, prefix, 'ipv4');
}

/** Whether an address may be called only if somebody has allowed it. What is no address is internal. */
export function isInternalAddress(address: string): boolean {
  const version = isIP(address);
  return version === 0 || (version === 6 ? internal6.check(address, 'ipv6') : internal4.check(address));
}

/**
 * What may be called though it is internal: `host`, `host:port`, or a network such as `10.1.0.0/16`.
 */
export interface Allowed {
  host(host: string, port: number): boolean;
  address(address: string): boolean;
}

export function allowedOf(list: readonly string[]): Allowed {
  const hosts = new Set<string>();
  const networks = new BlockList();
  for (const entry of list) {
    const [network = '', prefix] = entry.split('/');
    if (prefix !== undefined) networks.addSubnet(network, Number(prefix), network.includes(':') ? 'ipv6' : 'ipv4');
    else hosts.add(entry.toLowerCase());
  }
  return {
    host: (host, port) => hosts.has(host.toLowerCase()) || hosts.has(`${host.toLowerCase()}:${port}`),
    address: (address) => networks.check(address, address.includes(':') ? 'ipv6' : 'ipv4'),
  };
}
