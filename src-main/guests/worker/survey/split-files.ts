/** Deals files out into shares of about equal size. */

/** What a share is made of. */
export interface SizedFile {
  readonly path: string;
  readonly bytes: number;
}

/** One part of the work. */
export interface Share {
  /** Sorted. */
  readonly files: string[];
  readonly bytes: number;
}

/**
 * Largest file first to the share with the fewest bytes so far (of equals: the fewest files, then the first).
 * The same files give the same shares, in whatever order they come.
 */
export function splitFiles(files: readonly SizedFile[], parts: number): Share[] {
  const shares = Array.from({ length: parts }, () => ({ files: [] as string[], bytes: 0 }));
  const ordered = [...files].sort((a, b) => b.bytes - a.bytes || (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  for (const file of ordered) {
    const lightest = shares.reduce((best, share) =>
      share.bytes < best.bytes || (share.bytes === best.bytes && share.files.length < best.files.length) ? share : best,
    );
    lightest.files.push(file.path);
    lightest.bytes += file.bytes;
  }
  for (const share of shares) share.files.sort();
  return shares;
}
