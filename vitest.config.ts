import { defineConfig } from 'vitest/config';
import { isDeep } from './e2e/support/effort.ts';

/**
 * Everything but the Playwright specs: tests beside the sources, and e2e's checks and support.
 * Two workers, because the tests start real processes (tmux, SQLite, whole cores) on machines with two cores.
 */
export default defineConfig({
  root: import.meta.dirname,
  test: {
    include: ['src-*/**/*.test.{ts,tsx}', 'e2e/**/*.test.ts'],
    // What costs most and shows least new beside the others runs in deep runs only.
    exclude: ['**/node_modules/**', 'out/**', 'release/**', ...(isDeep ? [] : ['**/*.deep.test.ts'])],
    environment: 'node',
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 30_000,
    teardownTimeout: 15_000,
    passWithNoTests: true,
  },
});
