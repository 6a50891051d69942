/** Images in words. Pure. */
import type { ContainerImage } from '#shared/runtimes/model.ts';

/** How large an image is: "412 MB". Engines count in powers of 1000. */
export function imageText({ sizeBytes }: Pick<ContainerImage, 'sizeBytes'>): string {
  const mega = sizeBytes / 1_000_000;
  return mega < 1_000 ? `${Math.max(1, Math.round(mega))} MB` : `${(mega / 1_000).toFixed(1)} GB`;
}
