import { useState } from 'react';
import type { ReactNode } from 'react';
import { useSession } from '#renderer/store/session-context.tsx';
import type { Asked } from '#renderer/store/use-asked.ts';
import { useCommand } from '#renderer/store/use-command.ts';
import { Button } from '#renderer/ui/button.tsx';
import { Combobox } from '#renderer/ui/combobox.tsx';
import { SkeletonText } from '#renderer/ui/skeleton.tsx';
import { TextField } from '#renderer/ui/text-field.tsx';
import type { ContainerImage } from '#shared/runtimes/model.ts';
import { ImageReference } from '#shared/runtimes/model.ts';
import { ImageJobView } from './image-job.tsx';
import { imageText } from './image-words.ts';
import type { Images } from './use-images.ts';

interface ImageChooserProps {
  /** '' is the agent image. */
  readonly image: string;
  readonly error: string | undefined;
  readonly onChange: (image: string) => void;
  readonly images: Asked<Images>;
}

/** The choice that opens a field for a name. */
const OTHER = 'another image';

/** The image of a container: the agent image, one that is there, or one to be fetched. */
export function ImageChooser({ image, error, onChange, images: { answer, problem, ask } }: ImageChooserProps): ReactNode {
  const session = useSession();
  const command = useCommand();
  const [isTyping, setTyping] = useState(false);
  if (answer === undefined)
    return problem === undefined ? (
      <SkeletonText lines={3} />
    ) : (
      <p role="alert" className="text-12 text-st-failed">
        The images are not known. {problem}
      </p>
    );
  const { agentImage, images, job } = answer;
  const others = images.filter(({ isAgentImage }) => !isAgentImage);
  const known = others.some(({ reference }) => reference === image);
  const isOther = isTyping || (image !== '' && !known);
  const make = (reference?: string): void =>
    command.run(async () => {
      await session.client.runtimes.makeImage(reference === undefined ? {} : { reference });
    }, ask);
  const isBusy = command.isRunning || job?.state === 'running';
  const ofThis = job !== null && job.reference === (image === '' ? agentImage.reference : image) ? job : null;
  const isValid = ImageReference.safeParse(image).success;
  return (
    <div className="flex min-w-0 flex-col gap-2">
      <div className="max-w-full self-start">
        <Combobox
          label="Image"
          value={isOther ? OTHER : image}
          options={[
            { value: '', text: 'The agent image', detail: agentImage.isThere ? 'ready' : 'not made yet' },
            ...others.map((one: ContainerImage) => ({ value: one.reference, text: one.reference, detail: imageText(one) })),
            { value: OTHER, text: 'Another image', detail: 'from a registry' },
          ]}
          onChange={(chosen) => {
            setTyping(chosen === OTHER);
            onChange(chosen === OTHER ? '' : chosen);
          }}
        />
      </div>
      {isOther ? (
        <div className="flex flex-wrap items-start gap-2">
          <TextField
            label="Name of the image"
            value={image}
            onChange={onChange}
            isCode
            placeholder="alpine:3.20"
            error={error}
            hint="Any Linux image, Alpine too: what an agent needs is mounted beside it."
            className="min-w-52 flex-1"
          />
          <Button className="mt-5" disabled={!isValid || isBusy} onClick={() => make(image)}>
            Fetch it
          </Button>
        </div>
      ) : (
        <p className="text-12 text-pretty text-tx-3">
          {image === ''
            ? `Debian with Node, tmux, git and the usual tools${agentImage.isThere ? '. It is ready.' : '.'}`
            : 'It must be a Linux image. What an agent needs is mounted beside what is in it.'}
          {error === undefined ? null : <span className="block text-st-failed">{error}</span>}
        </p>
      )}
      {image === '' && !isOther && !agentImage.isThere && ofThis?.state !== 'running' && ofThis?.state !== 'failed' ? (
        <div className="flex flex-wrap items-center gap-x-3 gap-y-1.5 rounded-3 border border-hair-strong bg-bg-1 px-3 py-2.5">
          <p className="min-w-0 flex-1 basis-56 text-12 text-pretty text-tx-2">
            <strong className="font-medium text-tx-1">The agent image is made once on each machine.</strong> It takes some minutes
            and about 300 MB of disk. The form stays as it is meanwhile.
          </p>
          <Button disabled={isBusy} onClick={() => make()}>
            Make the agent image
          </Button>
        </div>
      ) : null}
      {ofThis === null ? null : (
        <ImageJobView job={ofThis} onRetry={() => make(ofThis.kind === 'build' ? undefined : ofThis.reference)} />
      )}
      {command.problem === undefined ? null : (
        <p role="alert" className="text-12 text-pretty text-st-failed">
          {command.problem}
        </p>
      )}
    </div>
  );
}
