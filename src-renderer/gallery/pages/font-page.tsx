import type { ReactNode } from 'react';
import { Specimen } from '../specimen.tsx';

/** What agents and test runners print: lines, blocks, arrows, marks, spinners. */
const GROUPS = {
  Lines: '─│┌┐└┘├┤┬┴┼═║╔╗╚╝╭╮╯╰━┃┏┓┗┛╌╎',
  Blocks: '▀▄█▌▐░▒▓▁▂▃▅▆▇▉▊▋▍▎▏▖▗▘▝',
  Arrows: '←↑→↓↔↳↲↻⇒⇐➜➤▶▸▹◀▼▲»›',
  Marks: '✓✔✗✘✻✽✶✢✳☐☑☒★☆○◐◑◯●◉◌■□▪◆◇•·…※ℹ⟳⟲❯❮⎿⏺⏵⏸⏹⚠⏎⌘⌥⇧␣',
  Spinners: '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏⣾⣽⣻⢿⡿⣟⣯⣷⠁⠂⠄⡀⢀⠠⠐⠈',
  Letters: 'AaGgQqßéłžПриветΩμ0O1lI',
} as const;

export function FontPage(): ReactNode {
  return (
    <>
      {Object.entries(GROUPS).map(([title, text]) => (
        <Specimen key={title} title={title}>
          <div className="cells font-code">
            {Array.from(text, (character) => (
              <span key={character} data-glyph={character}>
                <span>{character}</span>
              </span>
            ))}
          </div>
        </Specimen>
      ))}
      <Specimen title="No ligatures where characters are read">
        <p className="font-code">{'a != b === c => d -> e <= f >= g && h || i // j www ... <!-- -->'}</p>
        <p className="figures">{'1,284 messages 00:11:47 12.5% -> 13.0%'}</p>
      </Specimen>
      <Specimen title="A terminal's rows">
        <pre className="font-code" style={{ fontSize: 12.5, lineHeight: '17px' }}>
          {[
            '╭──────────────────────────────────────╮',
            '│ ✻ Welcome to the crew                │',
            '╰──────────────────────────────────────╯',
            '● Bash(pnpm vitest run src/ledger)',
            '  ⎿  ✓ src/ledger/archive.test.ts',
            '     ✗ expected 3 to be 0',
            '⏺ Read(src/webhooks/retry.ts)',
            '⠋ Thinking… ○ ◐ ● ❯ ████▌▒▒░░ 42%',
          ].join('\n')}
        </pre>
      </Specimen>
    </>
  );
}
