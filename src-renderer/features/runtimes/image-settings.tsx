import { useState } from 'react';
import type { ReactNode } from 'react';
import { useSession } from '#renderer/store/session-context.tsx';
import { useCommand } from '#renderer/store/use-command.ts';
import { Button } from '#renderer/ui/button.tsx';
import { CopyLine } from '#renderer/ui/copy-button.tsx';
import { Notice } from '#renderer/ui/notice.tsx';
import { RelativeTime } from '#renderer/ui/relative-time.tsx';
import { SettingsGroup } from '#renderer/ui/settings-group.tsx';
import { SkeletonText } from '#renderer/ui/skeleton.tsx';
import { TextField } from '#renderer/ui/text-field.tsx';
import { ImageReference } from '#shared/runtimes/model.ts';
import { ImageJobView } from './image-job.tsx';
import { imageText } from './image-words.ts';
import { placeState } from './runtime-words.ts';
import { useImages, useRuntimes } from './use-images.ts';

/** The images that agents can run in: which there are, making the agent image, fetching another. */
export function ImageSettings(): ReactNode {
  const session = useSession();
  const { answer, problem, ask } = useImages();
  const runtimes = useRuntimes();
  const command = useCommand();
  const [typed, setTyped] = useState('');
  if (answer === undefined) {
    if (problem === undefined) return <SkeletonText lines={6} />;
    const docker = runtimes.answer && placeState('docker', runtimes.answer);
    return (
      <SettingsGroup title="No container engine" note={docker?.problem ?? problem}>
        <p className="max-w-[72ch] text-13 text-pretty text-tx-2">
          Agents run in tmux meanwhile, on this machine: they are not contained there. With an engine they can be put into
          containers, and the images of those stand here.
        </p>
        {docker?.remedy === undefined ? null : <CopyLine text={docker.remedy} />}
      </SettingsGroup>
    );
  }
  const { agentImage, images, job } = answer;
  const make = (reference?: string): void =>
    command.run(async () => {
      await session.client.runtimes.makeImage(reference === undefined ? {} : { reference });
      if (reference !== undefined) setTyped('');
    }, ask);
  const isBusy = command.isRunning || job?.state === 'running';
  const name = typed.trim();
  const isValid = ImageReference.safeParse(name).success;
  const retry = (): void => make(job === null || job.kind === 'build' ? undefined : job.reference);
  return (
    <>
      {command.problem === undefined ? null : <Notice title="That was not done." detail={command.problem} />}
      <SettingsGroup
        title="The agent image"
        note="Debian with Node, tmux, git and the usual tools. Containers run in it unless an agent names another image. It is made on this machine, once for each version of Quarterdeck, from a registry or from Debian packages."
      >
        <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
          <p className="min-w-0 flex-1 basis-64">
            <code className="font-code block text-12 break-all">{agentImage.reference}</code>
            <span className={`text-12 ${agentImage.isThere ? 'text-tx-2' : 'text-tx-1'}`}>
              {agentImage.isThere ? 'Ready' : 'Not made yet: the first container waits for it.'}
            </span>
          </p>
          <Button look={agentImage.isThere ? 'outline' : 'ink'} disabled={isBusy} onClick={() => make()}>
            {agentImage.isThere ? 'Make it again' : 'Make the agent image'}
          </Button>
        </div>
        {job?.kind === 'build' ? <ImageJobView job={job} onRetry={retry} /> : null}
      </SettingsGroup>
      <SettingsGroup
        title="Another image"
        note="Any Linux image, Alpine too: Node, tmux and what else an agent needs are mounted beside what is in it."
      >
        <form
          className="flex flex-wrap items-start gap-2"
          onSubmit={(event) => {
            event.preventDefault();
            if (isValid && !isBusy) make(name);
          }}
        >
          <TextField
            label="Name of the image"
            isCode
            value={typed}
            onChange={setTyped}
            placeholder="alpine:3.20"
            error={name === '' || isValid ? undefined : 'Must be the name of an image such as alpine:3.20.'}
            className="w-72 max-w-full"
          />
          <Button type="submit" className="mt-5" disabled={!isValid || isBusy}>
            Fetch it
          </Button>
        </form>
        {job?.kind === 'pull' ? <ImageJobView job={job} onRetry={retry} /> : null}
      </SettingsGroup>
      <SettingsGroup title={`On this machine (${images.length})`}>
        {images.length === 0 ? (
          <p className="text-12 text-tx-3">The engine has no image with a name.</p>
        ) : (
          <ul aria-label="Images" className="rounded-2 border border-hair">
            {images.map((one) => (
              <li
                key={`${one.reference} ${one.id}`}
                className="flex min-h-9 flex-wrap items-center gap-x-3 border-b border-hair px-3 py-1 text-12 last:border-b-0"
              >
                <code className="font-code min-w-0 flex-1 basis-48 break-all">{one.reference}</code>
                {one.isAgentImage ? <span className="text-tx-2">the agent image</span> : null}
                <span className="figures text-tx-2">{imageText(one)}</span>
                <span className="text-tx-3">
                  made <RelativeTime at={one.createdAt} />
                </span>
              </li>
            ))}
          </ul>
        )}
      </SettingsGroup>
    </>
  );
}
