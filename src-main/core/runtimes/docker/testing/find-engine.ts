/** Whether this machine has a container engine that answers, for tests that need one. */
import { connectEngine, describeEngine } from '../engine.ts';

const isThere = await describeEngine(connectEngine(process.env)).then(
  () => true,
  () => false,
);

/** Why tests are left out here; undefined where none are. Where everything is required they run, and fail. */
export const ENGINE_MISSING: string | undefined =
  isThere || process.env['QD_REQUIRE_ALL'] === '1' ? undefined : 'skipped: no container engine answers on this machine';
