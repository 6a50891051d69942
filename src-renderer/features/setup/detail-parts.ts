/** A line of the checklist in parts: what a program said of itself, and where it stands, in the code face. Pure. */
import type { SystemCheck } from '#shared/system/model.ts';

/** A part of the line. */
export interface DetailPart {
  readonly text: string;
  /** A version or a path: shown letter by letter, as it is. */
  readonly isCode: boolean;
}

/** The line of a check, cut where its version and its path stand in it, each where it first does. */
export function detailParts({ detail, version, path }: Pick<SystemCheck, 'detail' | 'version' | 'path'>): readonly DetailPart[] {
  const places = [version, path]
    .flatMap((text) => {
      const at = text === null || text === '' ? -1 : detail.indexOf(text);
      return text === null || at === -1 ? [] : [{ at, end: at + text.length }];
    })
    .toSorted((a, b) => a.at - b.at);
  const parts: DetailPart[] = [];
  let done = 0;
  for (const { at, end } of places) {
    // A version that is part of the path is shown with it.
    if (at < done) continue;
    parts.push({ text: detail.slice(done, at), isCode: false }, { text: detail.slice(at, end), isCode: true });
    done = end;
  }
  return [...parts, { text: detail.slice(done), isCode: false }].filter(({ text }) => text !== '');
}
