import type { ReactNode } from 'react';
import { Specimen } from '../specimen.tsx';

const SURFACES = ['bg-0', 'bg-1', 'bg-2', 'well', 'select', 'needs-bg', 'failed-bg', 'hair', 'hair-strong', 'field'] as const;
const MARKS = ['needs-mark', 'needs-line', 'needs-fill', 'failed-line', 'ink', 'focus'] as const;
const WORDS = ['tx-1', 'tx-2', 'tx-3', 'needs', 'st-working', 'st-idle', 'st-failed', 'st-paused', 'st-stopped'] as const;
const GROUNDS = ['bg-0', 'bg-1', 'bg-2', 'well', 'select', 'needs-bg', 'failed-bg'] as const;
const TERMINAL = ['t-fg', 't-bold', 't-dim', 't-red', 't-green', 't-yellow', 't-blue', 't-magenta', 't-cyan'] as const;
const SIZES = [11, 12, 13, 14, 16, 20] as const;

function Swatches({ names }: { readonly names: readonly string[] }): ReactNode {
  return (
    <div className="swatches">
      {names.map((name) => (
        <div key={name} className="swatch">
          <span style={{ background: `var(--color-${name})` }} />
          <span>{name}</span>
        </div>
      ))}
    </div>
  );
}

function OnGrounds({ grounds, words }: { readonly grounds: readonly string[]; readonly words: readonly string[] }): ReactNode {
  return (
    <div className="grounds">
      {grounds.map((ground) => (
        <div key={ground} style={{ background: `var(--color-${ground})` }}>
          {words.map((word) => (
            <p key={word} style={{ color: `var(--color-${word})` }}>
              {word} on {ground}
            </p>
          ))}
        </div>
      ))}
    </div>
  );
}

export function TokenPage(): ReactNode {
  return (
    <>
      <Specimen title="Surfaces and lines">
        <Swatches names={SURFACES} />
      </Specimen>
      <Specimen title="Marks and fills">
        <Swatches names={MARKS} />
      </Specimen>
      <Specimen title="Words on every ground" isFlush>
        <OnGrounds grounds={GROUNDS} words={WORDS} />
      </Specimen>
      <Specimen title="Terminal" isFlush>
        <OnGrounds grounds={['t-bg', 't-sel']} words={TERMINAL} />
      </Specimen>
      <Specimen title="Type">
        {SIZES.map((size) => (
          <p key={size} style={{ fontSize: `var(--text-${size})`, lineHeight: `var(--text-${size}--line-height)` }}>
            {size}: Hold ledger-migrate until two of three voted{' '}
            <strong style={{ fontWeight: 'var(--font-weight-strong)' }}>strong</strong>
          </p>
        ))}
      </Specimen>
    </>
  );
}
