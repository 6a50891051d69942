/** A character of every bundled face of code: Latin, another alphabet and lines, symbols of both sources (assets/fonts). */
const OF_EACH_FACE = 'Aя─○⏺';

/**
 * Loads every face that code is set in. A canvas draws with what is there and keeps what it drew: who paints characters
 * waits for this first. A browser loads a face only when text asks for it, and each covers some characters only.
 */
export async function loadCodeFaces(): Promise<void> {
  const faces = ['400', '700'].flatMap((weight) =>
    ['JetBrains Mono', 'Quarterdeck Symbols'].map((family) => document.fonts.load(`${weight} 13px "${family}"`, OF_EACH_FACE)),
  );
  await Promise.all(faces);
}
