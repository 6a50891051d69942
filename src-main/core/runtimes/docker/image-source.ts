/** What the agent image is made from, and how making it is followed. */

/** The label that every image of ours carries. */
export const IMAGE_LABEL = { 'app.quarterdeck.image': 'agent' } as const;
/** Ways to make the image: from Debian packages, which needs apt and no registry; or with the Dockerfile, which needs one. */
export type ImageWay = 'packages' | 'dockerfile';

/** What the image is made from. */
export interface ImageSource {
  /** Folder `assets` of the product. */
  readonly assetsDir: string;
  /** The Node that is put into the image. */
  readonly nodeBinary: string;
  /** Where fetched packages are kept. */
  readonly cacheDir: string;
  readonly env: NodeJS.ProcessEnv;
}

/** The name of the image of this version. */
export interface AgentImageName {
  readonly key: string;
  /** `quarterdeck-agent:<key>`. */
  readonly reference: string;
}

/** How making an image goes on. */
export interface ImageProgress {
  /** A new step, and how much of the whole is done: 0 to 1, null where it cannot be told. */
  onStep(text: string, progress: number | null): void;
  /** A line of output. */
  onLine(line: string): void;
}
