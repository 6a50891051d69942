import { expect, it } from 'vitest';
import { readSource, readSources } from '#e2e/checks/sources.ts';
import { deepTests } from './deep-tests.ts';

it('finds tests that reach the effort by any way, and those of deep runs only', () => {
  const sources = [
    readSource('src-shared/a.test.ts', "import { effort } from '#e2e/support/effort.ts';"),
    readSource('src-main/core/suite.ts', "import '#e2e/support/effort.ts';"),
    readSource('src-main/core/b.test.ts', "import { suite } from './suite.ts';"),
    readSource('src-main/core/c.test.ts', "import { x } from './x.ts';"),
    readSource('src-main/core/d.deep.test.ts', "import { x } from './x.ts';"),
    readSource('e2e/specs/screens.spec.ts', "import { isDeep } from '../support/effort.ts';"),
    readSource('e2e/specs/agent.spec.ts', "import { window } from '#e2e/support/window.ts';"),
  ];
  expect(deepTests(sources)).toEqual({
    vitest: ['src-main/core/b.test.ts', 'src-main/core/d.deep.test.ts', 'src-shared/a.test.ts'],
    playwright: ['e2e/specs/screens.spec.ts'],
  });
});

it('finds them in this checkout, where no test is deep without the effort being asked', () => {
  const { vitest, playwright } = deepTests(readSources());
  expect(vitest).toContain('e2e/journeys/kill-core.test.ts');
  expect(vitest).toContain('src-main/core/runtimes/tmux/tmux-runtime.test.ts');
  expect(playwright).toContain('e2e/specs/screens.spec.ts');
});
