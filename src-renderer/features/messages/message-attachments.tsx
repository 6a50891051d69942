import { Download, Paperclip } from 'lucide-react';
import type { ReactNode } from 'react';
import { useSession } from '#renderer/store/session-context.tsx';
import { useCommand } from '#renderer/store/use-command.ts';
import { showToast } from '#renderer/ui/toast.tsx';
import { visibleText } from '#renderer/ui/visible-text.ts';
import { MAX_READ_BYTES } from '#shared/attachments/contract.ts';
import type { Attachment } from '#shared/messages/attachment.ts';
import type { Message } from '#shared/messages/model.ts';
import { sizeText } from '#renderer/ui/format-size.ts';

/** The files of a message: name, size, and a download. Nothing of them is ever shown or run by the window. */
export function MessageAttachments({ message }: { readonly message: Message }): ReactNode {
  if (message.attachments.length === 0) return null;
  return (
    <ul aria-label="Attachments" className="mt-1.5 flex max-w-full flex-wrap gap-1.5">
      {message.attachments.map((attachment, index) => (
        <li key={index} className="min-w-0">
          <Chip message={message} attachment={attachment} index={index} />
        </li>
      ))}
    </ul>
  );
}

interface ChipProps {
  readonly message: Message;
  readonly attachment: Attachment;
  readonly index: number;
}

function Chip({ message, attachment, index }: ChipProps): ReactNode {
  const session = useSession();
  const command = useCommand();
  const { name, bytes, source } = attachment;

  const download = async (): Promise<void> => {
    const pieces: BlobPart[] = [];
    let isChanged = false;
    for (let offset: number | null = 0; offset !== null;) {
      const piece = await session.client.attachments.get({ messageId: message.id, index, offset, maxBytes: MAX_READ_BYTES });
      pieces.push(piece.encoding === 'utf8' ? piece.content : Uint8Array.from(atob(piece.content), (char) => char.charCodeAt(0)));
      isChanged ||= piece.isChanged;
      offset = piece.next;
    }
    // Whatever it says it is: bytes to be saved, that no browser opens by itself.
    const url = URL.createObjectURL(new Blob(pieces, { type: 'application/octet-stream' }));
    const link = document.createElement('a');
    link.href = url;
    link.download = name;
    link.click();
    URL.revokeObjectURL(url);
    if (isChanged)
      showToast({
        title: `${name} is not what was sent.`,
        detail: 'The file in the workspace changed since; this is how it is now.',
      });
  };

  const where = source.kind === 'workspace' ? `in the workspace: ${source.path}` : 'kept by Quarterdeck';
  return (
    <>
      <button
        type="button"
        disabled={command.isRunning}
        aria-label={`Download ${name}, ${sizeText(bytes)}`}
        title={`${visibleText(name)}, ${where}`}
        onClick={(event) => {
          event.stopPropagation();
          command.run(download);
        }}
        className="group/chip inline-flex h-6 max-w-72 items-center gap-1.5 rounded-2 border border-hair-strong bg-bg-0 px-2 text-12 text-tx-2 hover:text-tx-1"
      >
        <Paperclip aria-hidden className="size-3 flex-none" />
        <span className="min-w-0 truncate">{visibleText(name)}</span>
        <span className="figures flex-none text-tx-3">{sizeText(bytes)}</span>
        <Download aria-hidden className="size-3 flex-none text-tx-3 group-hover/chip:text-tx-1" />
      </button>
      {command.problem === undefined ? null : (
        <p role="alert" className="mt-0.5 max-w-[60ch] text-12 text-st-failed">
          {command.problem}
        </p>
      )}
    </>
  );
}
