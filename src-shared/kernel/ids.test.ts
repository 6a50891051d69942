import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { effort } from '#e2e/support/effort.ts';
import { AgentId, ID_PREFIXES, MessageId, ProjectId, TokenId, mintId, uuidv7 } from './ids.ts';

const FORMAT = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

const timeOf = (id: string): number => Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);

describe('uuidv7', () => {
  it('has version and variant of RFC 9562 and carries the time', () => {
    const future = 4_102_444_800_000;
    const id = uuidv7(future);
    expect(id).toMatch(FORMAT);
    expect(timeOf(id)).toBe(future);
  });

  it('rises strictly, whatever the clock does', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 2 ** 47 }), { minLength: 2, maxLength: 200 }), (times) => {
        const ids = times.map((time) => uuidv7(time));
        expect([...ids].sort()).toEqual(ids);
        expect(new Set(ids).size).toBe(ids.length);
        for (const id of ids) expect(id).toMatch(FORMAT);
      }),
      { numRuns: effort.propertyRuns },
    );
  });

  it('rises within one millisecond, also beyond what its counter holds', () => {
    const ids = Array.from({ length: 20_000 }, () => uuidv7(1));
    for (let i = 1; i < ids.length; i += 1) expect((ids[i - 1] ?? '') < (ids[i] ?? '')).toBe(true);
    expect(ids.every((id) => FORMAT.test(id))).toBe(true);
  });
});

describe('ids', () => {
  it('are minted with their prefix and accepted by their own schema alone', () => {
    for (const prefix of ID_PREFIXES) expect(mintId(prefix)).toMatch(new RegExp(`^${prefix}_`));
    const message = mintId('msg');
    expect(MessageId.parse(message)).toBe(message);
    expect(ProjectId.safeParse(message).error?.issues[0]?.message).toBe('must be an id of the form prj_<uuid>');
    for (const wrong of ['', 'msg_', `${message}0`, message.toUpperCase(), `${message}\n`, 7, null])
      expect(TokenId.safeParse(wrong).success).toBe(false);
  });

  it('of agents are slugs', () => {
    for (const good of ['a', '0', 'api-tests', 'a.b_c-d', 'a'.repeat(63)]) expect(AgentId.safeParse(good).success).toBe(true);
    for (const bad of ['', '-a', '.a', '_a', 'A', 'a b', 'a/b', 'ä', 'a\n', 'a'.repeat(64), '..', '*'])
      expect([bad, AgentId.safeParse(bad).success]).toEqual([bad, false]);
    for (const name of ['operator', 'system', 'core', 'me'])
      expect(AgentId.safeParse(name).error?.issues[0]?.message).toContain('is reserved');
    expect(AgentId.safeParse('A').error?.issues[0]?.message).toContain('1 to 63 of a-z');
  });
});
