/** The HTTP proxy: requests with an absolute URL. Each is judged by itself, also on a connection that is kept. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { request as httpRequest } from 'node:http';
import type { AskedTarget } from './addresses.ts';
import { parseAuthority } from './addresses.ts';
import { sendError } from './answers.ts';
import type { EgressContext } from './egress-context.ts';
import { forward } from './forward.ts';
import type { PassedHeaders } from './headers.ts';
import { headerValues, isPlainTarget, requestHeaders } from './headers.ts';
import { reach } from './network.ts';
import { findRule } from './rules.ts';

/** A request that may be judged by the rules, or why it is none. */
type ReadRequest =
  | {
      readonly ok: true;
      readonly target: AskedTarget;
      readonly authority: string;
      readonly path: string;
      readonly headers: string[];
    }
  | { readonly ok: false; readonly host: string; readonly port: number; readonly reason: string };

const NONE: ReadonlySet<string> = new Set();

/** Serves one request. */
export async function serveHttp(options: EgressContext, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { agent, book, network, clock, limits } = options;
  const base = { projectId: agent.config.projectId, agentId: agent.config.id, via: 'http', at: clock.now() } as const;
  const read = readRequest(request);
  if (!read.ok) {
    const { host, port, reason } = read;
    book.refuse('refused', { ...base, host, port, protocol: 'http', address: null, reason });
    return sendError(request, response, { code: 'BAD_REQUEST', message: `The request is refused: ${reason}.` });
  }
  const { target } = read;
  const where = { ...base, host: target.text, port: target.port };
  const refuse = (code: 'FORBIDDEN' | 'BAD_GATEWAY', reason: string): void => {
    const message = `Quarterdeck does not connect this agent to ${target.text}:${target.port}: ${reason}. The operator can change that in the agent's egress rules.`;
    sendError(request, response, { code, message });
  };
  const verdict = findRule(agent.rules, target, 'http');
  if (!verdict.ok) {
    book.refuse('refused', { ...where, protocol: verdict.protocol, address: null, reason: verdict.reason });
    return refuse('FORBIDDEN', verdict.reason);
  }
  const ended = new AbortController();
  const forget = agent.add({
    isAllowed: () => findRule(agent.rules, target, 'http').ok,
    end: (reason) => ended.abort(new Error(reason)),
  });
  response.once('close', () => {
    forget();
    if (!response.writableFinished) ended.abort(new Error('the agent closed the connection'));
  });
  const reached = await reach(network, target, verdict.rule, limits, ended.signal);
  const facts = { ...where, protocol: 'http', address: reached.address, reason: verdict.rule.text } as const;
  if (!reached.ok) {
    book.refuse(reached.outcome, { ...facts, reason: reached.reason });
    return refuse(reached.outcome === 'refused' ? 'FORBIDDEN' : 'BAD_GATEWAY', reached.reason);
  }
  const { socket, note } = reached;
  const end = book.open({ ...facts, reason: note === '' ? verdict.rule.text : `${verdict.rule.text} (${note})` });
  const upstream = httpRequest({
    method: request.method ?? 'GET',
    path: read.path,
    headers: [...read.headers, 'Host', read.authority, 'Connection', 'close'],
    createConnection: () => socket,
  });
  const { outcome, reason } = await forward({
    request,
    response,
    upstream,
    idleMs: limits.idleMs,
    unreachable: (code) => ({ code: 'BAD_GATEWAY', message: `${target.text}:${target.port} did not answer (${code}).` }),
    signal: ended.signal,
  });
  socket.destroy();
  end({ outcome, reason, sentBytes: socket.bytesWritten, receivedBytes: socket.bytesRead });
}

/** Reads the request's line and Host, which have to agree. */
function readRequest(request: IncomingMessage): ReadRequest {
  const url = request.url ?? '';
  const parts = /^http:\/\/([^/?#]*)([^#]*)$/i.exec(url);
  const no = (reason: string, host = url.slice(0, 260), port = 0): ReadRequest => ({ ok: false, host, port, reason });
  if (parts === null || !isPlainTarget(url)) return no('its target is neither an http:// URL nor a path; use CONNECT for https');
  const [, authority = '', rest = ''] = parts;
  if (authority.includes('@')) return no('its URL names a user');
  const asked = parseAuthority(authority, 80);
  if (!asked.ok) return no(`${asked.reason} in its URL`, authority);
  const target = asked.value;
  const passed: PassedHeaders = requestHeaders(request.rawHeaders, NONE);
  if (!passed.ok) return no(passed.reason, target.text, target.port);
  const host = parseAuthority(headerValues(request.rawHeaders, 'host')[0] ?? '', 80);
  if (!host.ok || host.value.text !== target.text || host.value.port !== target.port)
    return no('its Host is not the one in its URL', target.text, target.port);
  const path = rest === '' ? '/' : rest.startsWith('?') ? `/${rest}` : rest;
  const bare = target.kind === 'ipv6' ? `[${target.text}]` : target.text;
  return { ok: true, target, authority: target.port === 80 ? bare : `${bare}:${target.port}`, path, headers: passed.headers };
}
