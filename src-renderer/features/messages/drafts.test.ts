import { describe, expect, it } from 'vitest';
import { answerTo } from '#renderer/store/answer.ts';
import { sampleMessage } from '#renderer/testing/sample-events.ts';
import { AttachmentId, mintId } from '#shared/kernel/ids.ts';
import type { Draft } from './drafts.ts';
import { draftAfter, givenBack, isWritten, joinedDraft, joinedFiles, keepDraft, missedDraft, newDraft } from './drafts.ts';

const draft = (text: string, changes: Partial<Draft> = {}): Draft => ({ ...newDraft(['ada']), text, ...changes });
const elsewhere = (name: string, text: Draft | null, before: Draft | null): Parameters<typeof draftAfter>[2] => ({
  name: `quarterdeck.draft.${name}`,
  text: text && JSON.stringify(text),
  before: before && JSON.stringify(before),
});

describe('a draft in two windows', () => {
  it('follows the last one to write in the same place', () => {
    const [mine, theirs] = [draft('one'), draft('one, and more')];
    expect(draftAfter(mine, 'new.messages', elsewhere('new.messages', theirs, mine))).toEqual(theirs);
    expect(draftAfter(mine, 'new.messages', elsewhere('new.agent.ada', theirs, mine))).toBeUndefined();
    expect(draftAfter(mine, 'new.messages', { name: 'quarterdeck.draft.new.messages', text: '{', before: null })).toBeUndefined();
  });

  it('is empty in both when one of them has sent it, and can be sent once only', () => {
    const sent = draft('said');
    const after = draftAfter(sent, 'new.messages', elsewhere('new.messages', null, sent));
    expect(after).toMatchObject({ text: '', to: ['ada'] });
    expect(after?.key).not.toBe(sent.key);
  });

  it('keeps a text that the other window did not know of', () => {
    expect(draftAfter(draft('mine'), 'new.messages', elsewhere('new.messages', null, draft('theirs')))).toBeUndefined();
    const [stored, next] = [draft('theirs'), draft('mine')];
    expect(joinedDraft(stored, next)).toMatchObject({ key: stored.key, text: 'theirs\n\nmine' });
    expect(joinedDraft(stored, { ...next, text: '' })).toMatchObject({ text: 'theirs' });
    expect(joinedDraft(next, { ...next, text: 'mine, longer' }).text).toBe('mine, longer');
    expect(joinedDraft(undefined, next)).toBe(next);
  });
});

describe('what another window wrote before this one listened', () => {
  const kept = new Map<string, string>();
  const storage = {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, text: string) => void kept.set(name, text),
    removeItem: (name: string) => void kept.delete(name),
  };

  it('is taken where nothing is written here, and stays in its place until the next change where something is', () => {
    const there = { ...newDraft(), text: 'written there' };
    keepDraft(storage, 'new.messages', there);
    expect(missedDraft(storage, 'new.messages', newDraft())).toEqual(there);
    expect(missedDraft(storage, 'new.agent', newDraft())).toBeUndefined();
    expect(missedDraft(storage, 'new.messages', { ...newDraft(), text: 'written here' })).toBeUndefined();
  });
});

describe('files of a draft', () => {
  const file = (name: string): Draft['files'][number] => ({
    attachmentId: AttachmentId.parse(mintId('att')),
    name,
    bytes: 1,
  });

  it('are what is written, of both windows, and each once', () => {
    const [one, two] = [file('one'), file('two')];
    expect(isWritten(draft('', { files: [one] }))).toBe(true);
    expect(joinedFiles([one], [one, two])).toEqual([one, two]);
    expect(joinedDraft(draft('', { files: [one] }), draft('mine', { files: [two] })).files).toEqual([one, two]);
    expect(joinedDraft(draft('theirs', { files: [one] }), draft('mine', { files: [one] })).files).toEqual([one]);
  });

  it('go with what another window sent, but not those it did not know of', () => {
    const [one, two] = [file('one'), file('two')];
    const sent = draft('', { files: [one] });
    expect(draftAfter(sent, 'new.messages', elsewhere('new.messages', null, sent))?.files).toEqual([]);
    const more = draft('', { files: [one, two] });
    expect(draftAfter(more, 'new.messages', elsewhere('new.messages', null, sent))).toBeUndefined();
  });

  it('come back with a message that was refused', () => {
    const [lost, written] = [file('lost'), file('written')];
    const answer = { ...answerTo(sampleMessage({ kind: 'request', recipients: ['operator'] }), 'No'), files: [lost], sentAt: 1 };
    expect(givenBack(draft('', { files: [written] }), answer).files).toEqual([lost, written]);
  });
});

it('gives back all of a message that was refused, before what is written meanwhile', () => {
  const question = sampleMessage({ kind: 'request', recipients: ['operator'], priority: 'high' });
  const lost = { ...answerTo(question, 'No'), sentAt: 1 };
  expect(givenBack(draft(''), lost)).toMatchObject({ text: 'No', priority: 'high', ttlMs: null });
  expect(givenBack(draft('Or yes?', { to: [] }), { ...lost, kind: 'task', subject: 'It', ttlMs: 5 })).toMatchObject({
    text: 'No\n\nOr yes?',
    to: ['ada'],
    kind: 'task',
    subject: 'It',
    ttlMs: 5,
  });
});
