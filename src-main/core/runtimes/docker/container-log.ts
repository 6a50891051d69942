/**
 * What a box printed, from the engine's log: that the agent was started, and how it ended with its last screen. The log is
 * there for as long as the container is, whichever core reads it.
 *
 * The agent may write there, too, if it looks for the way: it then lies about its own end only. Nothing else is believed.
 */
import type { Container } from 'dockerode';
import { BoxReport } from '#shared/box/model.ts';
import { askEngine } from './engine-deadline.ts';

/** How the agent ended, as its box told. */
export type EndedReport = Extract<BoxReport, { type: 'ended' }>;

/** What a log tells. */
export interface BoxLog {
  /** The agent's pid inside; undefined when it was never started. */
  readonly pid: number | undefined;
  readonly ended: EndedReport | undefined;
  /** The last lines that are no report, for telling what went wrong before the box could say it. */
  readonly noise: readonly string[];
}

/** A log has two files of 5 MB; of more, the end is what counts. In bytes. */
const MAX_BYTES = 12 * 2 ** 20;
const NOISE_LINES = 5;

/** The payload of a stream with the engine's frames: type, three zeros, length (big-endian), bytes. */
export function unframe(framed: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at + 8 <= framed.length;) {
    const length = framed.readUInt32BE(at + 4);
    parts.push(framed.subarray(at + 8, at + 8 + length));
    at += 8 + length;
  }
  return Buffer.concat(parts);
}

/** Reads what a box printed. */
export function parseBoxLog(text: string): BoxLog {
  let pid: number | undefined;
  let ended: EndedReport | undefined;
  const noise: string[] = [];
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    const report = line.startsWith('{') ? reportOf(line) : undefined;
    if (report?.type === 'started') pid = report.pid;
    else if (report?.type === 'ended') ended = report;
    else if (report === undefined) noise.push(line.slice(0, 500));
  }
  return { pid, ended, noise: noise.slice(-NOISE_LINES) };
}

function reportOf(line: string): BoxReport | undefined {
  try {
    const parsed = BoxReport.safeParse(JSON.parse(line));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

/** Reads a container's log. Rejects as dockerode does, or when no answer comes in time. */
export async function readBoxLog(container: Container, timeoutMs?: number): Promise<BoxLog> {
  const framed = await askEngine(
    'read the log of a container',
    (abortSignal) => container.logs({ stdout: true, stderr: true, follow: false, abortSignal }),
    timeoutMs,
  );
  return parseBoxLog(unframe(framed.subarray(-MAX_BYTES)).toString('utf8'));
}
