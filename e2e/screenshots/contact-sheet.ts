/** All pictures of a run on one page, to be looked at beside one another. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const STYLE = `
body { margin: 24px; background: #14171c; color: #e6e8eb; font: 13px/20px system-ui, sans-serif }
h2 { font-size: 14px; margin: 32px 0 8px }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(440px, 1fr)); gap: 16px }
figure { margin: 0 }
img { width: 100%; border: 1px solid #333; display: block }
figcaption { color: #9aa3ad; margin-top: 4px }
a { color: inherit }
`;

/** Writes `index.html` into the folder of the pictures; those of one fleet and screen stand together. */
export function writeSheet(folder: string, pictures: readonly string[]): void {
  const groups = Map.groupBy(pictures.toSorted(), (file) => file.replace(/-(dark|light)-(1440|1024|zoom)\.png$/, ''));
  const parts = [...groups].map(([title, files]) => {
    const figures = files.map(
      (file) =>
        `<figure><a href="${file}"><img loading="lazy" src="${file}" alt="${file}"></a><figcaption>${file}</figcaption></figure>`,
    );
    return `<h2>${title}</h2>\n<main>${figures.join('\n')}</main>`;
  });
  const page = `<!doctype html>\n<meta charset="utf-8">\n<title>Quarterdeck, every screen</title>\n<style>${STYLE}</style>\n${parts.join('\n')}\n`;
  writeFileSync(join(folder, 'index.html'), page);
}
