import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { MAX_UPLOAD_BYTES, uploadFile } from '#renderer/connection/upload-file.ts';
import type { Answered, OutgoingFile } from '#renderer/store/outgoing-message.ts';
import { useSession } from '#renderer/store/session-context.tsx';
import { messageOf } from '#shared/kernel/errors.ts';
import type { ProjectId } from '#shared/kernel/ids.ts';
import { uuidv7 } from '#shared/kernel/ids.ts';
import { AttachmentName } from '#shared/messages/attachment.ts';
import { sizeText } from '#renderer/ui/format-size.ts';

/** A file that is not stored yet. */
export interface Upload {
  readonly id: string;
  readonly name: string;
  readonly bytes: number;
  /** How much of it was sent, 0 to 1. */
  readonly share: number;
  /** Why it cannot be sent; undefined while it can. */
  readonly problem: string | undefined;
}

/** Files on their way to the core, before a message carries them. */
export interface Uploads {
  readonly all: readonly Upload[];
  /** Sends files, one after the other; `answered` is what is being written meanwhile. */
  readonly add: (files: readonly File[], answered: Answered | undefined) => void;
  /** Gives one up. */
  readonly remove: (id: string) => void;
}

/** What a file cannot be sent for; undefined when it can. */
function refusalOf(file: File): string | undefined {
  if (!AttachmentName.safeParse(file.name).success) return 'Its name cannot be sent: rename it first.';
  if (file.size > MAX_UPLOAD_BYTES)
    return `It is larger than ${sizeText(MAX_UPLOAD_BYTES)}, the most that can be sent from here.`;
  return undefined;
}

/** Stores files as they are chosen, and tells of each that is; those on their way are given up with the screen. */
export function useUploads(
  projectId: ProjectId | undefined,
  onStored: (file: OutgoingFile, answered: Answered | undefined) => void,
): Uploads {
  const session = useSession();
  const [all, setAll] = useState<readonly Upload[]>([]);
  const running = useRef(new Map<string, AbortController>());
  const queue = useRef(Promise.resolve());
  const latest = useRef({ projectId, onStored });
  useLayoutEffect(() => {
    latest.current = { projectId, onStored };
  });
  useEffect(() => {
    const controllers = running.current;
    return () => controllers.forEach((controller) => controller.abort());
  }, []);

  const change = useCallback((id: string, changes: Partial<Upload>): void => {
    setAll((uploads) => uploads.map((upload) => (upload.id === id ? { ...upload, ...changes } : upload)));
  }, []);
  const remove = useCallback((id: string): void => {
    running.current.get(id)?.abort();
    running.current.delete(id);
    setAll((uploads) => uploads.filter((upload) => upload.id !== id));
  }, []);

  const send = useCallback(
    async (id: string, file: File, answered: Answered | undefined): Promise<void> => {
      const controller = running.current.get(id);
      if (controller === undefined) return;
      try {
        const { attachmentId, name, bytes } = await uploadFile({
          file,
          name: file.name,
          projectId: latest.current.projectId,
          client: () => session.client,
          signal: controller.signal,
          onProgress: (share) => change(id, { share }),
        });
        if (controller.signal.aborted) return;
        remove(id);
        latest.current.onStored({ attachmentId, name, bytes }, answered);
      } catch (error) {
        if (controller.signal.aborted) return;
        running.current.delete(id);
        change(id, { problem: messageOf(error) });
      }
    },
    [session, change, remove],
  );

  const add: Uploads['add'] = useCallback(
    (files, answered) => {
      for (const file of files) {
        const id = uuidv7();
        const problem = refusalOf(file);
        setAll((uploads) => [...uploads, { id, name: file.name, bytes: file.size, share: 0, problem }]);
        if (problem !== undefined) continue;
        running.current.set(id, new AbortController());
        queue.current = queue.current.then(() => send(id, file, answered));
      }
    },
    [send],
  );
  return { all, add, remove };
}
