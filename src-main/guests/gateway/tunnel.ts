/** Tunnels (CONNECT): bytes as they are for tcp; for tls only once the ClientHello named the server that was asked for. */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Transform } from 'node:stream';
import { parseAuthority } from './addresses.ts';
import { sendRawError } from './answers.ts';
import { HelloWatch } from './client-hello.ts';
import type { ConnectionFacts } from './connection-book.ts';
import type { EgressContext } from './egress-context.ts';
import { reach } from './network.ts';
import { findRule } from './rules.ts';

/** A fatal TLS alert, access_denied (RFC 8446 6.2): clients show it, where a closed connection would tell nothing. */
const ACCESS_DENIED = Buffer.from([21, 3, 1, 0, 2, 2, 49]);

/** Serves one CONNECT. */
export async function serveConnect(
  options: EgressContext,
  request: IncomingMessage,
  client: Duplex,
  head: Buffer,
): Promise<void> {
  const { agent, book, network, clock, limits } = options;
  const asked = parseAuthority(request.url ?? '');
  const base = { projectId: agent.config.projectId, agentId: agent.config.id, via: 'connect', at: clock.now() } as const;
  if (!asked.ok) {
    const facts = { ...base, host: (request.url ?? '').slice(0, 260), port: 0, protocol: 'tcp', address: null } as const;
    book.refuse('refused', { ...facts, reason: asked.reason });
    return sendRawError(client, { code: 'BAD_REQUEST', message: `CONNECT is refused: ${asked.reason}.` });
  }
  const target = asked.value;
  const where = { ...base, host: target.text, port: target.port };
  const verdict = findRule(agent.rules, target, 'connect');
  if (!verdict.ok) {
    book.refuse('refused', { ...where, protocol: verdict.protocol, address: null, reason: verdict.reason });
    return sendRawError(client, { code: 'FORBIDDEN', message: refusal(target.text, target.port, verdict.reason) });
  }
  const { rule } = verdict;
  const ended = new AbortController();
  const forget = agent.add({
    isAllowed: () => {
      const now = findRule(agent.rules, target, 'connect');
      // A tunnel whose bytes were never looked at is not one that a rule for tls would have let through.
      return now.ok && (now.rule.protocol === rule.protocol || now.rule.protocol === 'tcp');
    },
    end: (reason) => ended.abort(new Error(reason)),
  });
  client.once('close', () => {
    ended.abort(new Error('the agent closed the connection'));
    forget();
  });
  const reached = await reach(network, target, rule, limits, ended.signal);
  const facts: ConnectionFacts = { ...where, protocol: rule.protocol, address: reached.address, reason: rule.text };
  if (!reached.ok) {
    book.refuse(reached.outcome, { ...facts, reason: reached.reason });
    const message = refusal(target.text, target.port, reached.reason);
    return sendRawError(client, { code: reached.outcome === 'refused' ? 'FORBIDDEN' : 'BAD_GATEWAY', message });
  }
  const { socket: outside, note } = reached;
  if (client.destroyed || ended.signal.aborted) {
    outside.destroy();
    client.destroy();
    return;
  }
  client.write('HTTP/1.1 200 Connection established\r\n\r\n');
  if (head.length > 0) client.unshift(head);
  const opened = { ...facts, reason: note === '' ? rule.text : `${rule.text} (${note})` };
  if (rule.protocol === 'tcp') carry({ options, client, outside, facts: opened, ended: ended.signal });
  else watch({ options, client, outside, facts: opened, ended: ended.signal }, target.text);
}

/** The two ends of a tunnel. */
interface Tunnel {
  readonly options: EgressContext;
  readonly client: Duplex;
  readonly outside: Socket;
  readonly facts: ConnectionFacts;
  readonly ended: AbortSignal;
}

/** Holds everything back until the ClientHello was there, whole and right. */
function watch(tunnel: Tunnel, serverName: string): void {
  const { options, client, outside, facts, ended } = tunnel;
  const hello = new HelloWatch(serverName);
  let isDone = false;
  const refuse = (reason: string, outcome: 'refused' | 'failed' = 'refused'): void => {
    if (isDone) return;
    isDone = true;
    clearTimeout(timer);
    client.off('data', onData);
    client.off('end', onEnd);
    ended.removeEventListener('abort', onEnded);
    outside.destroy();
    options.book.refuse(outcome, { ...facts, reason });
    if (client.writable) client.end(ACCESS_DENIED);
    // Whatever else it sends is thrown away; it has a moment to read the alert.
    client.resume();
    setTimeout(() => client.destroy(), 1000).unref();
  };
  const onData = (chunk: Buffer): void => {
    const { forward, refused } = hello.push(chunk);
    if (refused !== undefined) return refuse(refused);
    if (!hello.isAccepted) return;
    isDone = true;
    clearTimeout(timer);
    client.pause();
    client.off('data', onData);
    client.off('end', onEnd);
    ended.removeEventListener('abort', onEnded);
    outside.write(forward);
    carry(tunnel, hello);
  };
  const onEnd = (): void => refuse('it ended before its ClientHello was complete');
  const onEnded = (): void => refuse(ended.reason instanceof Error ? ended.reason.message : 'it was ended');
  const timer = setTimeout(() => refuse('its ClientHello was not complete in time'), options.limits.helloMs);
  ended.addEventListener('abort', onEnded);
  client.on('end', onEnd);
  client.on('data', onData);
  outside.once('close', () => refuse('the server closed the connection before it was asked anything', 'failed'));
}

/** Carries bytes both ways until both sides are done, one broke, the rules changed, or nothing passed for too long. */
function carry({ options, client, outside, facts, ended }: Tunnel, hello?: HelloWatch): void {
  const end = options.book.open(facts);
  let problem: { readonly outcome: 'failed' | 'refused' | 'closed'; readonly reason: string } | undefined;
  const stop = (): void => {
    outside.destroy();
    client.destroy();
  };
  const onEnded = (): void => {
    problem ??= { outcome: 'closed', reason: ended.reason instanceof Error ? ended.reason.message : 'it was ended' };
    stop();
  };
  outside.setTimeout(options.limits.idleMs, () => {
    problem ??= { outcome: 'closed', reason: 'nothing passed for too long' };
    stop();
  });
  outside.once('error', (error: NodeJS.ErrnoException) => {
    problem ??= { outcome: 'failed', reason: `the connection broke (${error.code ?? error.message})` };
    stop();
  });
  outside.once('close', () => {
    ended.removeEventListener('abort', onEnded);
    end({
      outcome: problem?.outcome ?? 'closed',
      reason: problem?.reason,
      sentBytes: outside.bytesWritten,
      receivedBytes: outside.bytesRead,
    });
    // What the server said last is on its way to the agent; where nobody reads it any more, it is dropped.
    if (client.writableEnded) setTimeout(() => client.destroy(), options.limits.helloMs).unref();
    else client.destroy();
  });
  client.once('close', () => outside.destroy());
  ended.addEventListener('abort', onEnded);
  if (ended.aborted) return onEnded();
  if (hello === undefined) client.pipe(outside);
  else {
    const watched = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        const { forward, refused } = hello.push(chunk);
        if (refused === undefined) return done(null, forward);
        problem ??= { outcome: 'refused', reason: refused };
        stop();
        done();
      },
    });
    client.pipe(watched).pipe(outside);
  }
  outside.pipe(client);
}

function refusal(host: string, port: number, reason: string): string {
  return `Quarterdeck does not connect this agent to ${host}:${port}: ${reason}. The operator can change that in the agent's egress rules.`;
}
