import { Check, Pause, Pin, Play, Plus, RotateCw, Square, Trash2 } from 'lucide-react';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { Button, IconButton } from '#renderer/ui/button.tsx';
import { CopyButton, CopyLine } from '#renderer/ui/copy-button.tsx';
import { KeyHint } from '#renderer/ui/key-hint.tsx';
import { Specimen } from '../specimen.tsx';

const LOOKS = ['ink', 'outline', 'quiet', 'danger'] as const;
const SIZES = ['small', 'normal', 'large'] as const;

export function ButtonPage(): ReactNode {
  const [isPinned, setPinned] = useState(true);
  return (
    <>
      {SIZES.map((size) => (
        <Specimen key={size} title={`Size ${size}`}>
          <div className="row">
            {LOOKS.map((look) => (
              <Button key={look} look={look} size={size}>
                {look === 'danger' ? 'Deny' : `Look ${look}`}
              </Button>
            ))}
            {LOOKS.map((look) => (
              <Button key={look} look={look} size={size} disabled>
                {`Disabled ${look}`}
              </Button>
            ))}
          </div>
        </Specimen>
      ))}
      <Specimen title="With icons and keys" ground="page">
        <div className="row">
          <Button icon={<Plus aria-hidden className="size-3.5" />}>New agent</Button>
          <Button look="ink" icon={<Check aria-hidden className="size-3.5" />}>
            Approve <KeyHint>a</KeyHint>
          </Button>
          <Button icon={<Play aria-hidden className="size-3.5" />}>
            Take control <KeyHint>ctrl+enter</KeyHint>
          </Button>
          <Button look="danger" icon={<Trash2 aria-hidden className="size-3.5" />}>
            Delete
          </Button>
          <Button look="quiet" aria-pressed>
            Pressed
          </Button>
        </div>
      </Specimen>
      <Specimen title="Icons only">
        <div className="row">
          {SIZES.map((size) => (
            <IconButton key={size} label={`Pause, ${size}`} size={size} icon={<Pause aria-hidden className="size-3.5" />} />
          ))}
          <IconButton label="Restart" shortcut="ctrl+r" look="outline" icon={<RotateCw aria-hidden className="size-3.5" />} />
          <IconButton label="Stop" disabled icon={<Square aria-hidden className="size-3.5" />} />
          <IconButton
            label="Pin"
            pressed={isPinned}
            onClick={() => setPinned(!isPinned)}
            icon={<Pin aria-hidden className="size-3.5" />}
          />
        </div>
      </Specimen>
      <Specimen title="To copy">
        <div className="stack">
          <div className="row">
            <CopyButton text="claude /login" />
            <CopyButton text="claude /login" label="Copy" />
            <CopyButton text="claude /login" label="Copy diagnostics" size="small" />
          </div>
          <CopyLine text="claude /login" />
          <CopyLine text="claude mcp add --transport http quarterdeck http://127.0.0.1:7420/mcp --header 'Authorization: Bearer …'" />
        </div>
      </Specimen>
      <Specimen title="On a place that needs the operator">
        <div className="row" style={{ background: 'var(--color-needs-bg)', margin: -12, padding: 12 }}>
          <Button look="ink">Keep</Button>
          <Button>Drop</Button>
          <Button look="quiet">Reply</Button>
          <Button look="danger">Deny with reason…</Button>
        </div>
      </Specimen>
    </>
  );
}
