import { describe, expect, it } from 'vitest';
import { sampleAgent } from '#renderer/testing/sample-events.ts';
import type { AgentState } from '#shared/agents/model.ts';
import { AgentStatus } from '#shared/agents/model.ts';
import { doingOf, lineOf, purposeOf, STATUS_LOOKS } from './status-look.ts';

const base = { since: 1, evidence: { source: 'process', detail: 'sample', at: 1 } } as const;
const says = { doing: 'counting files', progress: 0.42, at: 1 };

describe('how a state is shown', () => {
  it('has a shape and a word of its own for every state; only the operator is amber', () => {
    const looks = AgentStatus.options.map((status) => STATUS_LOOKS[status]);
    expect(new Set(looks.map(({ word }) => word)).size).toBe(looks.length);
    expect(looks.filter(({ tone }) => tone === 'needs')).toEqual([]);
  });

  it('says the reason of the state first, and marks what the agent says of itself', () => {
    const lines: [AgentState, string][] = [
      [{ status: 'working', ...base }, 'says: counting files (42 %)'],
      [{ status: 'waiting', reason: 'for ben', ...base }, 'for ben'],
      [{ status: 'failed', reason: 'exit code 3', ...base }, 'exit code 3'],
      [{ status: 'stopped', exit: { code: 0 }, ...base }, 'exit 0'],
      [{ status: 'stopped', exit: { signal: 'SIGTERM' }, ...base }, 'ended by SIGTERM'],
      [{ status: 'paused', from: 'working', ...base }, 'was working'],
    ];
    for (const [state, line] of lines) expect(lineOf({ ...sampleAgent('ada', state), says })).toBe(line);
  });

  it('shows characters that turn the order of a text, wherever an agent could have written them', () => {
    const turned = 'rm \u202egpj.exe';
    const agent = { ...sampleAgent('ada', { status: 'working', ...base }), says: { doing: turned, progress: null, at: 1 } };
    const failed = sampleAgent('ada', { status: 'failed', reason: turned, ...base });
    const described = { ...agent, says: null, config: { ...agent.config, description: turned } };
    const asked = { messageId: 'm', subject: turned, body: '', answers: [], at: 1, expiresAt: null, more: 0 };
    const lines = [
      lineOf(agent),
      lineOf(failed),
      purposeOf({ agent: described, question: undefined }),
      doingOf({ agent: described, question: undefined }),
      doingOf({ agent, question: asked }),
    ];
    for (const line of lines) expect(line).toContain('rm [U+202E]gpj.exe');
  });
});
