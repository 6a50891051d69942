import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canBeNamedByRule, parseAuthority, parseHost, whyNotPublic } from './addresses.ts';

describe('an address that is not public', () => {
  it.each([
    ['0.0.0.0', 'unspecified'],
    ['0.1.2.3', 'unspecified'],
    ['10.1.2.3', 'private'],
    ['100.64.0.1', 'shared'],
    ['100.127.255.255', 'shared'],
    ['127.0.0.1', 'loopback'],
    ['127.255.255.254', 'loopback'],
    ['169.254.169.254', 'link-local'],
    ['172.16.0.1', 'private'],
    ['172.31.255.255', 'private'],
    ['192.168.255.1', 'private'],
    ['192.0.2.1', 'documentation'],
    ['198.18.0.1', 'benchmarks'],
    ['224.0.0.1', 'multicast'],
    ['239.255.255.255', 'multicast'],
    ['240.0.0.1', 'reserved'],
    ['255.255.255.255', 'broadcast'],
    ['::', 'unspecified'],
    ['::1', 'loopback'],
    ['::7f00:1', 'IPv4-compatible'],
    ['fe80::1', 'link-local'],
    ['fe80::1%eth0', 'link-local'],
    ['febf::1', 'link-local'],
    ['fec0::1', 'site-local'],
    ['fc00::1', 'private'],
    ['fd12:3456::1', 'private'],
    ['ff02::1', 'multicast'],
    ['::ffff:127.0.0.1', 'IPv4-mapped of an address that is loopback'],
    ['::ffff:a9fe:a9fe', 'IPv4-mapped of an address that is link-local'],
    ['::ffff:0:10.0.0.1', 'IPv4-mapped of an address that is private'],
    ['64:ff9b::10.0.0.1', 'NAT64 of an address that is private'],
    ['64:ff9b:1::10.0.0.1', 'NAT64 of a local network'],
    ['2002:7f00:1::', '6to4 of an address that is loopback'],
    ['2001::1', 'Teredo'],
    ['2001:db8::1', 'documentation'],
    ['100::1', 'reserved'],
    ['4000::1', 'reserved'],
    ['localhost', 'not an address'],
  ])('%s is %s', (address, reason) => expect(whyNotPublic(address)).toContain(reason));

  it.each([
    '1.1.1.1',
    '9.255.255.255',
    '11.0.0.0',
    '100.63.255.255',
    '100.128.0.0',
    '128.0.0.1',
    '172.15.255.255',
    '172.32.0.0',
    '192.167.0.1',
    '223.255.255.255',
  ])('is none of the public ones: %s', (address) => expect(whyNotPublic(address)).toBeUndefined());

  it.each([
    '2606:4700::1111',
    '2a00:1450:4001:80b::200e',
    '::ffff:1.1.1.1',
    '64:ff9b::1.1.1.1',
    '2002:101:101::1',
    '2001:4860:4860::8888',
  ])('is none of the public ones: %s', (address) => expect(whyNotPublic(address)).toBeUndefined());

  it('can be named by a rule where it is the machine or a private network, and nowhere else', () => {
    const named = ['10.0.0.5', '127.0.0.1', '192.168.1.1', '100.64.1.1', '1.1.1.1'];
    expect(named.filter(canBeNamedByRule)).toEqual(named);
    expect(['169.254.169.254', '0.0.0.0', '224.0.0.1', '255.255.255.255'].filter(canBeNamedByRule)).toEqual([]);
  });
});

describe('a host that is asked for', () => {
  it.each([
    ['example.org:443', 'name', 'example.org', 443],
    ['EXAMPLE.org.:443', 'name', 'example.org', 443],
    ['127.0.0.1:80', 'ipv4', '127.0.0.1', 80],
    ['[2606:4700:0:0:0:0:0:1111]:443', 'ipv6', '2606:4700::1111', 443],
    ['[::ffff:7f00:1]:80', 'ipv4', '127.0.0.1', 80],
    ['[::ffff:127.0.0.1]:80', 'ipv4', '127.0.0.1', 80],
    ['[::1]:80', 'ipv6', '::1', 80],
    ['xn--bcher-kva.example:443', 'name', 'xn--bcher-kva.example', 443],
  ])('%s is one %s', (text, kind, host, port) =>
    expect(parseAuthority(text)).toEqual({ ok: true, value: { kind, text: host, port } }),
  );

  it.each([
    '0x7f.1:80',
    '0x7f000001:80',
    '2130706433:80',
    '127.1:80',
    '127.0.1:80',
    '0177.0.0.1:80',
    '127.0.0.01:80',
    '127.0.0.1.:80',
    '1.2.3.4.5:80',
    '127.0.0.256:80',
    'foo.0x7f:80',
    'example.org',
    'example.org:',
    'example.org:0',
    'example.org:65536',
    'example.org:443:443',
    'example.org:4a',
    'example.org:+443',
    ':443',
    '.:443',
    '..:443',
    'a..b:443',
    'user@example.org:443',
    'exa mple.org:443',
    'example.org/:443',
    'bücher.example:443',
    '１２７.0.0.1:80',
    '[::1:80',
    '[::1%lo]:80',
    '[fe80::1%25eth0]:80',
    '[]:80',
    '::1:80',
    `${'a'.repeat(64)}.org:443`,
  ])('%s is none', (text) => expect(parseAuthority(text).ok).toBe(false));

  it('never takes for a name what others take for an address', () => {
    fc.assert(
      fc.property(fc.webAuthority(), (text) => {
        const host = parseHost(text);
        const url = URL.parse(`http://${text}/`);
        if (!host.ok || url === null) return true;
        return (host.value.kind === 'name') === !/^(\d+\.){3}\d+$|^\[/.test(url.hostname);
      }),
    );
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('0', '1', '7', 'f', 'x', '.', ':', '[', ']', 'a'), maxLength: 20 }),
        (text) => {
          const host = parseHost(text);
          const url = URL.parse(`http://${text}/`);
          return !host.ok || host.value.kind !== 'name' || url === null || !/^(\d+\.){3}\d+$|^\[/.test(url.hostname);
        },
      ),
      { numRuns: 3000 },
    );
  });
});
