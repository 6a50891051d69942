import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { effort } from '#e2e/support/effort.ts';
import type { GatewayAgent } from '#shared/gateway/model.ts';
import { AgentId, mintId, ProjectId } from '#shared/kernel/ids.ts';
import type { GatewayOrder, Outcome } from './wanted-agents.ts';
import { WantedAgents } from './wanted-agents.ts';

const projectId = ProjectId.parse(mintId('prj'));
const ids = ['a1', 'a2', 'a3'].map((id) => AgentId.parse(id));

function agent(id: AgentId, rule: number): GatewayAgent {
  return { id, projectId, socketDir: '/s', owner: null, mode: 'deny', rules: [`r${rule}.org:443:tls`], modelApis: [] };
}

/** A gateway as far as orders matter. */
class Held {
  readonly agents = new Map<AgentId, GatewayAgent>();
  keys = -1;

  obey(order: GatewayOrder, keys: number): void {
    if (order.kind === 'put') this.agents.set(order.agent.id, order.agent);
    else if (order.kind === 'remove') this.agents.delete(order.id);
    else this.keys = keys;
  }
}

type Step =
  | { readonly kind: 'put'; readonly id: AgentId; readonly rule: number }
  | { readonly kind: 'drop'; readonly id: AgentId }
  /** An order is carried out and confirmed; carried out, and the line breaks before it is confirmed; lost with its gateway. */
  | { readonly kind: 'keys' | 'confirmed' | 'broken' | 'killed' }
  /** An order that was on a line that broke is confirmed all the same, late. */
  | { readonly kind: 'late' };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('put' as const), id: fc.constantFrom(...ids), rule: fc.nat(9) }),
  fc.record({ kind: fc.constant('drop' as const), id: fc.constantFrom(...ids) }),
  fc.record({ kind: fc.constantFrom('keys' as const, 'confirmed' as const, 'broken' as const, 'killed' as const) }),
  fc.record({ kind: fc.constant('late' as const) }),
);

it('ends with a gateway that holds exactly what is wanted, whatever broke on the way', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const wanted = new WantedAgents();
      const model = new Map<AgentId, GatewayAgent>();
      let held = new Held();
      let keys = 0;
      let unconfirmed: GatewayOrder | undefined;
      const connect = (): void => wanted.tellAllAgain([...held.agents.keys()], () => false);
      connect();
      for (const now of steps) {
        if (now.kind === 'put') {
          wanted.put(agent(now.id, now.rule));
          model.set(now.id, agent(now.id, now.rule));
        } else if (now.kind === 'drop') {
          wanted.drop(now.id);
          model.delete(now.id);
        } else if (now.kind === 'keys') {
          keys += 1;
          wanted.touchModelApis();
        } else if (now.kind === 'late') {
          if (unconfirmed) wanted.told(unconfirmed);
        } else {
          const order = wanted.next();
          if (!order) continue;
          held.obey(order, keys);
          if (now.kind === 'confirmed') wanted.told(order);
          else {
            unconfirmed = order;
            if (now.kind === 'killed') held = new Held();
            connect();
          }
        }
      }
      for (let order = wanted.next(); order; order = wanted.next()) {
        held.obey(order, keys);
        wanted.told(order);
      }
      expect(held.agents).toEqual(model);
      expect(held.keys).toBe(keys);
      for (const id of ids) expect(wanted.isTold(id)).toBe(model.has(id));
    }),
    { numRuns: effort.propertyRuns * 10 },
  );
});

it('tells the model APIs before the agents that use them, and removals before both come back', () => {
  const wanted = new WantedAgents();
  wanted.put(agent(AgentId.parse('a1'), 1));
  wanted.tellAllAgain([AgentId.parse('gone')], () => false);
  const kinds: string[] = [];
  for (let order = wanted.next(); order; order = wanted.next()) {
    kinds.push(order.kind);
    wanted.told(order);
  }
  expect(kinds).toEqual(['model-apis', 'remove', 'put']);
});

it('lets who waits hear of his own wish only, and of its end', async () => {
  const wanted = new WantedAgents();
  const id = AgentId.parse('a1');
  const outcomes: Outcome[] = [];
  const wait = (): Promise<void> => wanted.whenTold(id, 10_000).then((outcome) => void outcomes.push(outcome));
  expect(await wanted.whenTold(id, 10_000)).toBe('given-up');
  wanted.tellAllAgain([], () => false);
  const keys = wanted.next();
  if (keys) wanted.told(keys);

  wanted.put(agent(id, 1));
  const first = wait();
  const order = wanted.next();
  wanted.put(agent(id, 2));
  const second = wait();
  if (order) wanted.told(order);
  await first;
  expect(outcomes).toEqual(['told']);
  expect(wanted.isTold(id)).toBe(false);
  wanted.drop(id);
  await second;
  expect(outcomes).toEqual(['told', { problem: 'the agent ended meanwhile' }]);

  wanted.put(agent(id, 3));
  expect(await wanted.whenTold(id, 1)).toBe('too-late');
});
