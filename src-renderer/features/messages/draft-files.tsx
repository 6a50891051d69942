import { Paperclip, TriangleAlert, X } from 'lucide-react';
import type { ReactNode } from 'react';
import type { OutgoingFile } from '#renderer/store/outgoing-message.ts';
import { IconButton } from '#renderer/ui/button.tsx';
import { visibleText } from '#renderer/ui/visible-text.ts';
import { sizeText } from '#renderer/ui/format-size.ts';
import type { Upload } from './use-uploads.ts';

interface DraftFilesProps {
  readonly files: readonly OutgoingFile[];
  readonly uploads: readonly Upload[];
  readonly onRemove: (file: OutgoingFile) => void;
  readonly onGiveUp: (upload: Upload) => void;
}

const CHIP =
  'inline-flex h-6 max-w-72 min-w-0 items-center gap-1.5 rounded-2 border border-hair-strong bg-bg-0 pr-0.5 pl-2 text-12 text-tx-2';

/** The files that go with what is being written: stored, on their way, or refused with the reason. */
export function DraftFiles({ files, uploads, onRemove, onGiveUp }: DraftFilesProps): ReactNode {
  if (files.length + uploads.length === 0) return null;
  return (
    <ul aria-label="Files to send" className="mb-1.5 flex max-h-24 flex-wrap gap-1.5 overflow-y-auto">
      {files.map((file) => (
        <li key={file.attachmentId} className={CHIP}>
          <Paperclip aria-hidden className="size-3 flex-none" />
          <Name name={file.name} bytes={file.bytes} />
          <Remove label={`Do not send ${file.name}`} onClick={() => onRemove(file)} />
        </li>
      ))}
      {uploads.map((upload) => (
        <li
          key={upload.id}
          className={
            upload.problem === undefined ? `${CHIP} relative overflow-hidden` : 'flex w-full min-w-0 items-center gap-1.5 text-12'
          }
        >
          {upload.problem === undefined ? (
            <>
              <Paperclip aria-hidden className="size-3 flex-none text-tx-3" />
              <Name name={upload.name} bytes={upload.bytes} />
              <span className="figures flex-none text-tx-1">{Math.round(upload.share * 100)}%</span>
              <span
                role="progressbar"
                aria-label={`Sending ${upload.name}`}
                aria-valuemin={0}
                aria-valuemax={100}
                aria-valuenow={Math.round(upload.share * 100)}
                className="absolute inset-x-0 bottom-0 h-0.5 bg-hair"
              >
                <span className="block h-full bg-tx-2" style={{ width: `${Math.round(upload.share * 100)}%` }} />
              </span>
            </>
          ) : (
            <>
              <TriangleAlert aria-hidden className="size-3 flex-none text-st-failed" />
              <p role="alert" className="min-w-0 [overflow-wrap:anywhere] text-tx-2">
                <strong className="inline-block max-w-[36ch] truncate align-bottom font-medium text-tx-1">
                  {visibleText(upload.name)}
                </strong>{' '}
                is not sent. <span className="text-st-failed">{upload.problem}</span>
              </p>
            </>
          )}
          <Remove
            label={upload.problem === undefined ? `Do not send ${upload.name}` : `Leave out ${upload.name}`}
            onClick={() => onGiveUp(upload)}
          />
        </li>
      ))}
    </ul>
  );
}

function Name({ name, bytes }: { readonly name: string; readonly bytes: number }): ReactNode {
  return (
    <>
      <span title={visibleText(name)} className="min-w-0 truncate">
        {visibleText(name)}
      </span>
      <span className="figures flex-none text-tx-3">{sizeText(bytes)}</span>
    </>
  );
}

function Remove({ label, onClick }: { readonly label: string; readonly onClick: () => void }): ReactNode {
  return (
    <IconButton label={label} size="small" icon={<X aria-hidden className="size-3" />} onClick={onClick} className="h-5! w-5!" />
  );
}
