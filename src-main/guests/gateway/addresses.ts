/**
 * Which hosts there are in what an agent asks for, and which addresses are public. Pure.
 * Sources: IANA's special-purpose registries for IPv4 and IPv6 (RFC 6890 and what followed), RFC 6052 (NAT64), RFC 3056 (6to4),
 * and the URL standard's "ends in a number" for what other parsers would take for an IPv4 address.
 */
import { isIPv4, isIPv6 } from 'node:net';

/** A host as it was asked for, in one spelling. */
export interface AskedHost {
  readonly kind: 'name' | 'ipv4' | 'ipv6';
  /** A name in lower case without a dot at its end, or an address in its usual form, without brackets. */
  readonly text: string;
}

/** A host and a port. */
export interface AskedTarget extends AskedHost {
  readonly port: number;
}

/** What was asked for, or why it cannot be. */
export type Asked<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string };

const bad = (reason: string): { readonly ok: false; readonly reason: string } => ({ ok: false, reason });

const NAME = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/;

/** Reads `host:port`; `fallbackPort` is taken where there is none. */
export function parseAuthority(text: string, fallbackPort?: number): Asked<AskedTarget> {
  const parts = /^(\[[^\]]*\]|[^:[\]]*)(?::(.*))?$/.exec(text);
  if (parts === null) return bad('it is not host:port');
  const [, hostText = '', portText] = parts;
  const port = portText === undefined ? fallbackPort : /^[1-9]\d{0,4}$/.test(portText) ? Number(portText) : undefined;
  if (port === undefined || port > 65_535) return bad('its port is not a number from 1 to 65535');
  const host = parseHost(hostText);
  return host.ok ? { ok: true, value: { ...host.value, port } } : host;
}

/** Reads a host. Addresses in unusual spellings (0x7f.1, 2130706433, 127.1, 0177.0.0.1) are refused: parsers disagree on them. */
export function parseHost(given: string): Asked<AskedHost> {
  const text = given.toLowerCase();
  if (text.startsWith('[')) {
    const inner = text.slice(1, -1);
    if (!isIPv6(inner) || inner.includes('%')) return bad('it is not an IPv6 address');
    const groups = ipv6Groups(inner);
    const mapped = mappedIpv4(groups);
    if (mapped !== undefined) return { ok: true, value: { kind: 'ipv4', text: mapped } };
    return { ok: true, value: { kind: 'ipv6', text: formatIpv6(groups) } };
  }
  if (isIPv4(text)) return { ok: true, value: { kind: 'ipv4', text } };
  const name = text.endsWith('.') ? text.slice(0, -1) : text;
  const last = name.slice(name.lastIndexOf('.') + 1);
  if (/^(\d+|0x[0-9a-f]*)$/.test(last)) return bad('it is an address in an unusual spelling; write it as four decimal numbers');
  if (!NAME.test(name)) return bad('it is not a host name');
  return { ok: true, value: { kind: 'name', text: name } };
}

/** Why an address is not public; undefined when it is. Such addresses are never connected to, whatever name led there. */
export function whyNotPublic(address: string): string | undefined {
  if (isIPv4(address)) return whyNotPublicIpv4(ipv4Number(address));
  if (!isIPv6(address)) return 'not an address';
  const groups = ipv6Groups(address.replace(/%.*$/, ''));
  const mapped = mappedIpv4(groups);
  if (mapped !== undefined) return inside('IPv4-mapped', whyNotPublicIpv4(ipv4Number(mapped)));
  return whyNotPublicIpv6(groups);
}

/**
 * Whether the operator may allow this address by naming it in a rule for tcp: addresses of the machine itself and of private
 * networks. Never those that stand for no one machine, and never link-local ones, where clouds keep their metadata.
 */
export function canBeNamedByRule(address: string): boolean {
  const reason = whyNotPublic(address);
  return reason === undefined || reason === PRIVATE || reason === LOOPBACK || reason === SHARED;
}

const PRIVATE = 'private';
const LOOPBACK = 'loopback';
const SHARED = 'shared by carriers (100.64.0.0/10)';

/** First address, length of the prefix, and what it is. */
const NOT_PUBLIC_IPV4: readonly (readonly [string, number, string])[] = [
  ['0.0.0.0', 8, 'unspecified'],
  ['10.0.0.0', 8, PRIVATE],
  ['100.64.0.0', 10, SHARED],
  ['127.0.0.0', 8, LOOPBACK],
  ['169.254.0.0', 16, 'link-local'],
  ['172.16.0.0', 12, PRIVATE],
  ['192.0.0.0', 24, 'reserved'],
  ['192.0.2.0', 24, 'for documentation'],
  ['192.88.99.0', 24, 'a 6to4 relay'],
  ['192.168.0.0', 16, PRIVATE],
  ['198.18.0.0', 15, 'for benchmarks'],
  ['198.51.100.0', 24, 'for documentation'],
  ['203.0.113.0', 24, 'for documentation'],
  ['224.0.0.0', 4, 'multicast'],
  ['255.255.255.255', 32, 'broadcast'],
  ['240.0.0.0', 4, 'reserved'],
];

function whyNotPublicIpv4(address: number): string | undefined {
  for (const [first, bits, reason] of NOT_PUBLIC_IPV4) {
    const size = 2 ** (32 - bits);
    if (Math.floor(address / size) === Math.floor(ipv4Number(first) / size)) return reason;
  }
  return undefined;
}

function whyNotPublicIpv6(groups: readonly number[]): string | undefined {
  const [a = 0, b = 0, c = 0] = groups;
  const embedded = (at: number): number => (groups[at] ?? 0) * 65_536 + (groups[at + 1] ?? 0);
  if (groups.slice(0, 6).every((group) => group === 0)) {
    if (embedded(6) === 0) return 'unspecified';
    return embedded(6) === 1 ? LOOPBACK : 'IPv4-compatible';
  }
  if (a === 0x64 && b === 0xff9b) {
    if (groups.slice(2, 6).some((group) => group !== 0)) return 'NAT64 of a local network';
    return inside('NAT64', whyNotPublicIpv4(embedded(6)));
  }
  if (a === 0x2002) return inside('6to4', whyNotPublicIpv4(embedded(1)));
  if ((a & 0xfe00) === 0xfc00) return PRIVATE;
  if ((a & 0xffc0) === 0xfe80) return 'link-local';
  if ((a & 0xffc0) === 0xfec0) return 'site-local';
  if ((a & 0xff00) === 0xff00) return 'multicast';
  if (a === 0x2001 && b < 0x200) return b === 0 ? 'Teredo' : 'reserved';
  if ((a === 0x2001 && b === 0xdb8) || (a === 0x3fff && b < 0x1000)) return 'for documentation';
  // Only 2000::/3 has been given out for the public.
  return (a & 0xe000) === 0x2000 && !(a === 0x2001 && b === 0 && c === 0) ? undefined : 'reserved';
}

function inside(form: string, reason: string | undefined): string | undefined {
  return reason === undefined ? undefined : `${form} of an address that is ${reason}`;
}

function ipv4Number(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

function ipv4Text(high: number, low: number): string {
  return `${high >> 8}.${high & 0xff}.${low >> 8}.${low & 0xff}`;
}

/** The IPv4 address in ::ffff:0:0/96 (RFC 4291) and ::ffff:0:0:0/96 (RFC 2765); undefined for any other. */
function mappedIpv4(groups: readonly number[]): string | undefined {
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  const isTranslated = groups.slice(0, 4).every((group) => group === 0) && groups[4] === 0xffff && groups[5] === 0;
  return isMapped || isTranslated ? ipv4Text(groups[6] ?? 0, groups[7] ?? 0) : undefined;
}

/** The eight groups of a valid IPv6 address. */
function ipv6Groups(address: string): number[] {
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(address);
  const tail = dotted?.[2] === undefined ? undefined : ipv4Number(dotted[2]);
  const text =
    tail === undefined
      ? address
      : `${dotted?.[1] ?? ''}${Math.floor(tail / 65_536).toString(16)}:${(tail % 65_536).toString(16)}`;
  const [left = '', right] = text.split('::');
  const read = (part: string): number[] => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)));
  const before = read(left);
  const after = read(right ?? '');
  return right === undefined ? before : [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after];
}

function formatIpv6(groups: readonly number[]): string {
  const text = groups.map((group) => group.toString(16)).join(':');
  const zeros = [...text.matchAll(/(?:^|:)0(?::0)+(?=:|$)/g)].map((match) => match[0]).sort((a, b) => b.length - a.length)[0];
  if (zeros === undefined) return text;
  return text
    .replace(zeros, ':')
    .replace(/^:(?!:)/, '::')
    .replace(/(?<!:):$/, '::');
}
