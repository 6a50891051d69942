import { describe, expect, it } from 'vitest';
import { makePageStorage } from '#renderer/store/page-storage.ts';
import type { AgentFormDraft } from './agent-form-draft.ts';
import { EMPTY_DRAFT, isTyped, keepAgentDraft, keptAgentDraft, onTemplate } from './agent-form-draft.ts';
import { EMPTY_FIELDS } from './agent-form-state.ts';

const storage = () =>
  makePageStorage(() => {
    throw new Error('This one lives in memory.');
  });

const typed = (draft: AgentFormDraft, fields: Partial<typeof EMPTY_FIELDS>): AgentFormDraft => ({
  ...draft,
  fields: { ...draft.fields, ...fields },
});

describe('an agent that is being described', () => {
  it('keeps what was typed when a template is chosen, and when another is', () => {
    const shell = { ...EMPTY_FIELDS, type: 'command' as const, command: 'bash -l', description: 'A shell' };
    const mine = typed(EMPTY_DRAFT, { id: 'ada', description: 'Mine' });
    const first = onTemplate(mine, 'shell', shell);
    expect(first).toMatchObject({ template: 'shell', fields: { id: 'ada', description: 'Mine', command: 'bash -l' } });
    const second = onTemplate(first, 'worker', { ...EMPTY_FIELDS, capabilities: 'review' });
    expect(second.fields).toEqual({ ...EMPTY_FIELDS, id: 'ada', description: 'Mine', capabilities: 'review' });
    expect(onTemplate(second, null, EMPTY_FIELDS).fields).toEqual(mine.fields);
  });

  it('keeps also what was emptied', () => {
    const shell = { ...EMPTY_FIELDS, description: 'A shell' };
    const draft = typed(onTemplate(EMPTY_DRAFT, 'shell', shell), { description: '' });
    expect(isTyped(draft)).toBe(true);
    expect(onTemplate(draft, 'other', { ...EMPTY_FIELDS, description: 'Another' }).fields.description).toBe('');
  });

  it('is there again until nothing is left of it', () => {
    const kept = storage();
    expect(keptAgentDraft(kept)).toBeUndefined();
    const draft = typed(EMPTY_DRAFT, { environment: 'A=1' });
    keepAgentDraft(kept, draft);
    expect(keptAgentDraft(kept)).toEqual(draft);
    keepAgentDraft(kept, EMPTY_DRAFT);
    expect(keptAgentDraft(kept)).toBeUndefined();
  });

  it.each(['not JSON', '{"template":null}', '7'])('is none where something else is kept: %s', (text) => {
    const kept = storage();
    kept.setItem('quarterdeck.new-agent', text);
    expect(keptAgentDraft(kept)).toBeUndefined();
  });
});
