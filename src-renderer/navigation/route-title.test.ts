import { expect, it } from 'vitest';
import { routeTitle } from './route-title.ts';

it('names the place, and how much waits for the operator', () => {
  expect(routeTitle({ page: 'fleet' }, 0)).toBe('Agents – Quarterdeck');
  expect(routeTitle({ page: 'agent', id: 'ada', tab: 'health' }, 2)).toBe('(2) ada – Quarterdeck');
  expect(routeTitle({ page: 'unknown', path: '/x' }, 0)).toBe('Not found – Quarterdeck');
});
