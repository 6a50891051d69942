import { expect, it } from 'vitest';
import { mintId, ProjectId, SessionId } from '#shared/kernel/ids.ts';
import type { SessionSummary } from '#shared/sessions/model.ts';
import { sessionSpan, sessionText } from './session-words.ts';

const STARTED = new Date(2026, 10, 20, 14, 2).getTime();

function session(changes: Partial<SessionSummary>): SessionSummary {
  return {
    id: SessionId.parse(mintId('ses')),
    projectId: ProjectId.parse(mintId('prj')),
    startedAt: STARTED,
    endedAt: STARTED + 3_600_000,
    origin: 'core',
    importedAt: null,
    importedFrom: null,
    isCurrent: false,
    messages: 3,
    participants: [],
    mirrors: [],
    ...changes,
  };
}

it('names sessions by when they began', () => {
  expect(sessionText(session({ isCurrent: true }))).toBe('this one');
  expect(sessionText(session({}))).toBe('20 Nov, 14:02');
  expect(sessionText(session({ origin: 'import' }))).toBe('imported 20 Nov, 14:02');
});

it('says from when to when they were, and where they come from', () => {
  expect(sessionSpan(session({}))).toBe('20 Nov, 14:02 to 20 Nov, 15:02');
  expect(sessionSpan(session({ endedAt: null }))).toBe('20 Nov, 14:02 (not ended cleanly)');
  expect(sessionSpan(session({ importedFrom: 'crowd-mcp 1730000000000' }))).toBe(
    '20 Nov, 14:02 to 20 Nov, 15:02, imported from crowd-mcp 1730000000000',
  );
});
