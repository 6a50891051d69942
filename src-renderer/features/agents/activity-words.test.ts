import { describe, expect, it } from 'vitest';
import { sampleAgent } from '#renderer/testing/sample-events.ts';
import { activityOf } from './activity-words.ts';

const evidence = { source: 'process', detail: 'the process 42 exited with code 3', at: 1 } as const;

describe('what happened to an agent', () => {
  it('is said in words, with the evidence of a state', () => {
    const state = { status: 'failed', reason: 'exit code 3', since: 1, evidence };
    expect(activityOf({ kind: 'agent.state-changed', data: { state } })).toEqual({
      text: 'Failed',
      detail: 'the process 42 exited with code 3',
      status: 'failed',
    });
    const run = { id: 'run_1', pid: 42, startedAt: 1, attachCommand: null };
    expect(activityOf({ kind: 'agent.run-started', data: { run, starts: 3 } })).toEqual({
      text: 'started run 3',
      detail: 'process 42',
    });
    const says = { doing: 'counting files', progress: 0.42, at: 1 };
    expect(activityOf({ kind: 'agent.reported', data: { says } })).toEqual({ text: 'says', detail: 'counting files (42 %)' });
    expect(activityOf({ kind: 'agent.reported', data: { says: { ...says, doing: '', progress: null } } }).text).toBe(
      'says nothing any more',
    );
    expect(activityOf({ kind: 'agent.created', data: { agent: sampleAgent('ada') } }).detail).toBe('type worker');
  });

  it('tells what it subscribed to', () => {
    expect(activityOf({ kind: 'topic.subscribed', data: { patterns: ['health.*', 'tasks.#'] } })).toEqual({
      text: 'subscribed to topics',
      detail: 'health.*, tasks.#',
    });
    expect(activityOf({ kind: 'topic.unsubscribed', data: { patterns: ['tasks.#'] } }).text).toBe('ended subscriptions');
  });

  it('tells who had the keyboard', () => {
    expect(activityOf({ kind: 'terminal.typed', data: { window: 'queue' } })).toEqual({
      text: 'typed into the terminal',
      detail: 'window queue',
    });
    expect(activityOf({ kind: 'terminal.control-taken', data: { window: 'main', from: null } })).toEqual({
      text: 'took the keyboard',
      detail: '',
    });
    const from = { actor: { kind: 'operator', id: 'operator' }, door: 'web', name: 'operator' };
    expect(activityOf({ kind: 'terminal.control-taken', data: { window: 'main', from } }).text).toBe(
      'took the keyboard from you in another place (browser)',
    );
    expect(activityOf({ kind: 'terminal.control-released', data: { window: 'main', reason: 'lost' } }).text).toBe(
      'lost the connection, and the keyboard with it',
    );
  });

  it('tells what was refused to an agent in a box, and what holds it', () => {
    const refused = { asked: 'a task for agent "host"', from: 'container', to: 'host', reason: 'it is weaker' };
    expect(activityOf({ kind: 'boundary.refused', data: refused })).toEqual({
      text: 'was refused a task for agent "host"',
      detail: 'it is weaker',
    });
    const accepted = { asked: 'the team file /x/team.yaml', from: 'container', to: 'host' };
    expect(activityOf({ kind: 'boundary.accepted', data: accepted }).text).toBe('accepted the team file /x/team.yaml');
    expect(activityOf({ kind: 'boundary.proved', data: { proofId: 'p', kind: 'launch', checks: 30 } })).toEqual({
      text: 'proved the boundary',
      detail: '30 checks held',
    });
    expect(activityOf({ kind: 'boundary.failed', data: { proofId: 'p', kind: 'launch', problem: 'a mount' } }).detail).toBe(
      'a mount',
    );
    const target = { host: 'example.org', port: 443, protocol: 'tls', reason: 'no rule allows it', count: 1 };
    expect(activityOf({ kind: 'egress.refused', data: target })).toEqual({
      text: 'was refused a connection to example.org:443',
      detail: 'no rule allows it',
    });
    expect(activityOf({ kind: 'egress.opened', data: { ...target, address: '192.0.2.7' } }).text).toBe(
      'connected to example.org:443',
    );
    expect(activityOf({ kind: 'egress.rules-changed', data: { mode: 'deny', rules: [] } }).detail).toBe('0 rules');
  });

  it('is named as it is where there are no words, and where nothing is left to read', () => {
    expect(activityOf({ kind: 'agent.state-changed', data: { state: 'odd' } })).toEqual({
      text: 'agent.state-changed',
      detail: '',
    });
    expect(activityOf({ kind: 'agent.reported', data: null })).toEqual({
      text: 'agent.reported',
      detail: 'What it said was erased.',
    });
  });
});
