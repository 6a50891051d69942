import { expect, it } from 'vitest';
import { programIn } from './tmux-survey.ts';

it.each([
  [['claude'], 'claude'],
  [['-claude'], 'claude'],
  [['/home/ada/.local/bin/claude', '--resume'], 'claude'],
  [['node', '--max-old-space-size=4096', '/usr/local/bin/gemini', '-m', 'x'], 'gemini'],
  [['node', '/usr/lib/node_modules/@openai/codex/bin/codex.js'], 'codex'],
  [['/usr/bin/python3.12', '/home/ada/.local/bin/aider', '--model', 'x'], 'aider'],
  [['python3', '-m', 'aider'], 'aider'],
  [['/bin/sh', './cursor-agent'], 'cursor-agent'],
  [['vim', 'claude'], undefined],
  [['node', 'server.js', 'claude'], undefined],
  [['sh', '-c', 'claude'], 'claude'],
  [['bash'], undefined],
  [[''], undefined],
  [[], undefined],
])('tells by its command line what %j is', (words, program) => {
  expect(programIn(words)).toBe(program);
});
