/** For specs: speaks from inside an agent's box as a program of the agent's own would, with its real token and through the relay. */
import { execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';
import * as z from 'zod';
import { insideContainer } from './containers.ts';

const run = promisify(execFile);

/** The protocol version that these calls state. */
const PROTOCOL = '2026-07-28';
/** The agent interface inside. */
const AGENT_URL = 'http://127.0.0.1:3100/mcp';

/** What came back. */
export interface InsideAnswer {
  /** Three digits; 000 when there was no answer. */
  readonly status: string;
  readonly body: string;
}

/** The agent's token, as a program of its own could read it. */
export async function tokenIn(container: string): Promise<string> {
  const { stdout } = await insideContainer(container, 'sh', '-c', "cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'");
  const token = /^QUARTERDECK_AGENT_TOKEN=(qda_\S+)$/m.exec(stdout)?.[1];
  if (token === undefined) throw new Error('no process inside has a token');
  return token;
}

/** One HTTP request from inside, by curl; whatever becomes of it is an answer. */
export async function curlInside(container: string, ...args: readonly string[]): Promise<InsideAnswer> {
  const argv = ['curl', '--silent', '--max-time', '90', '-w', '\n%{http_code}', ...args];
  const { stdout } = await run('docker', ['exec', container, ...argv], { maxBuffer: 64 * 2 ** 20 }).catch((error: unknown) =>
    z.object({ stdout: z.string() }).parse(error),
  );
  const end = stdout.lastIndexOf('\n');
  return { status: stdout.slice(end + 1), body: stdout.slice(0, Math.max(0, end)) };
}

/** A POST to the agent interface from inside. */
export function callInside(
  container: string,
  token: string,
  body: string,
  headers: readonly string[] = [],
): Promise<InsideAnswer> {
  const all = [
    `authorization: Bearer ${token}`,
    'accept: application/json, text/event-stream',
    'content-type: application/json',
    ...headers,
  ];
  return curlInside(container, ...all.flatMap((header) => ['-H', header]), '-d', body, AGENT_URL);
}

const Answered = z.object({
  result: z.object({ isError: z.boolean().optional(), structuredContent: z.unknown() }).optional(),
  error: z.object({ message: z.string() }).optional(),
});

/** What a tool answered: what it found, or why not. */
export type ToolAnswer = { readonly ok: unknown } | { readonly refused: string };

/** Calls a tool of the agent interface from inside. */
export async function toolInside(container: string, token: string, tool: string, input: object): Promise<ToolAnswer> {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': PROTOCOL,
    'io.modelcontextprotocol/clientCapabilities': {},
    'io.modelcontextprotocol/clientInfo': { name: 'inside', version: '1' },
  };
  const body = JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: tool, arguments: input, _meta: meta },
  });
  const headers = [`mcp-protocol-version: ${PROTOCOL}`, 'mcp-method: tools/call', `mcp-name: ${tool}`];
  const { status, body: text } = await callInside(container, token, body, headers);
  const data = text.split('\n').findLast((line) => line.startsWith('data:'));
  let parsed: unknown;
  try {
    parsed = JSON.parse(data?.slice(5) ?? text);
  } catch {
    throw new Error(`${tool} was answered with ${status}: ${text}`);
  }
  const { result, error } = Answered.parse(parsed);
  if (error !== undefined) return { refused: error.message };
  return result?.isError === true ? { refused: JSON.stringify(result.structuredContent) } : { ok: result?.structuredContent };
}

/** Runs a Node program inside, with the image's own Node; resolves with what it printed, whatever its end. */
export function nodeInside(container: string, script: string, timeoutMs = 60_000): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('docker', ['exec', '--interactive', container, 'node', '-'], { stdio: ['pipe', 'pipe', 'pipe'] });
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (said += text));
    child.once('error', reject);
    child.once('close', () => {
      clearTimeout(timer);
      resolve(said);
    });
    // It may have ended before it read all of it.
    child.stdin.on('error', () => undefined);
    child.stdin.end(script);
  });
}
