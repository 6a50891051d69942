/** What can be reached: nothing but the box's own loopback. */
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { connect, isIP } from 'node:net';
import type { BoxProbe } from '#shared/box/model.ts';
import type { ProofCheck } from '#shared/boundary/model.ts';
import { codeOf } from '../error-code.ts';
import type { Finding } from './check.ts';
import { broken, check, held, tryCheck, unknown } from './check.ts';

/**
 * Tried from every box: an address outside (of those that RFC 5737 keeps for examples: what tries it must not call on anybody,
 * should it get out), the one where clouds hand out their keys, and the host as Docker's own bridge shows it.
 */
const ALWAYS = [
  { id: 'reach-outside', title: 'Reach the outside', host: '192.0.2.1', port: 443 },
  { id: 'reach-metadata', title: "Reach the cloud's metadata", host: '169.254.169.254', port: 80 },
  { id: 'reach-docker-host', title: 'Reach the host by its bridge', host: '172.17.0.1', port: 22 },
] as const;

/** Everything about the network. Each attempt gets `deadlineMs`. */
export async function checkNetwork(probe: BoxProbe, deadlineMs: number): Promise<ProofCheck[]> {
  const always = ALWAYS.map(async ({ id, title, host, port }) =>
    check(id, title, `connect to ${host}:${port}`, await tryConnect(host, port, deadlineMs)),
  );
  const asked = probe.unreachable.map(async ({ what, host, port }, index) =>
    check(`reach-${index + 1}`, `Reach ${what}`, `connect to ${host}:${port}`, await tryConnect(host, port, deadlineMs)),
  );
  const datagram = trySend('192.0.2.1', 53, deadlineMs).then((finding) =>
    check('send-outside', 'Send a packet to the outside', 'send a datagram to 192.0.2.1:53', finding),
  );
  const tried = await Promise.all([...always, ...asked, datagram]);
  return [
    tryCheck('interfaces', 'Have a network', 'list /proc/net/dev', () => {
      const lines = readFileSync('/proc/net/dev', 'utf8').split('\n').slice(2);
      const names = lines.map((line) => line.split(':')[0]?.trim() ?? '').filter((name) => name !== '');
      // Tunnels that the kernel puts into every namespace, down and without an address, carry nothing without CAP_NET_ADMIN.
      const real = names.filter(
        (name) => name !== 'lo' && !/^(tunl0|gre0|gretap0|erspan0|ip_vti0|ip6_vti0|sit0|ip6tnl0|ip6gre0)$/.test(name),
      );
      return real.length === 0 ? held(names.join(' ')) : broken(`interfaces ${real.join(' ')}`);
    }),
    tryCheck('raw-socket', 'Send raw packets', 'read CAP_NET_RAW and CAP_NET_ADMIN in CapBnd', () => {
      const bound = /CapBnd:\s*([0-9a-f]+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
      if (bound === undefined) return unknown('the kernel does not tell');
      // Bits 12 (NET_ADMIN) and 13 (NET_RAW) of capability.h.
      return (BigInt(`0x${bound}`) & 0x3000n) === 0n ? held('neither is there') : broken(`CapBnd ${bound}`);
    }),
    tryCheck('abstract-sockets', 'Reach sockets without a file', 'list names in /proc/net/unix', () => {
      const names = readFileSync('/proc/net/unix', 'utf8').match(/@\S+$/gm) ?? [];
      return names.length === 0 ? held('none') : broken(names.join(' '));
    }),
    ...tried,
  ];
}

/** Connecting must fail at once. No answer is no proof: the packets may have left. */
function tryConnect(host: string, port: number, deadlineMs: number): Promise<Finding> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const done = (finding: Finding): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(finding);
    };
    // What has come by then counts: the thread may have been busy, or have had no CPU, when it came.
    const timer = setTimeout(() => setImmediate(() => done(unknown(`no answer in ${deadlineMs} ms`))), deadlineMs);
    socket.once('connect', () => done(broken('connected')));
    socket.once('error', (error) => {
      const code = codeOf(error);
      const isOwn = host === '::1' || host === 'localhost' || host.startsWith('127.');
      // On its own loopback nobody listens; anywhere else a refusal comes from somebody who was reached.
      if (code === 'ECONNREFUSED' && !isOwn) done(broken('ECONNREFUSED: the address was reached'));
      else done(held(isOwn ? `${code}: its loopback is its own` : isIP(host) === 0 ? `${code}: the name is not known` : code));
    });
  });
}

function trySend(host: string, port: number, deadlineMs: number): Promise<Finding> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    const done = (finding: Finding): void => {
      clearTimeout(timer);
      socket.close();
      resolve(finding);
    };
    const timer = setTimeout(() => done(unknown(`no answer in ${deadlineMs} ms`)), deadlineMs);
    socket.once('error', (error) => done(held(codeOf(error))));
    socket.send(Buffer.from('quarterdeck'), port, host, (error) => {
      if (error === null) done(broken('it was sent'));
      else done(held(codeOf(error)));
    });
  });
}
