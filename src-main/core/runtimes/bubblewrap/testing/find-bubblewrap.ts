/** Whether bubblewrap works on this machine, for tests that need it. */
import { probeBubblewrap } from '../bubblewrap.ts';

const found = await probeBubblewrap();

/** Why tests are left out here; undefined where none are. Where everything is required they run, and fail. */
export const BUBBLEWRAP_MISSING: string | undefined =
  'problem' in found && process.env['QD_REQUIRE_ALL'] !== '1' ? `skipped: ${found.problem}` : undefined;
