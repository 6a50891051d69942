/**
 * A folder that electron-builder takes for an Electron distribution, where no real one can be had: everything about
 * packaging is real then, but nothing in the package can be started as the app.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FuseVersion } from '@electron/fuses';

/** What stands before the fuses in every Electron, so that tools find them (electron/fuses, src/constants.ts). */
const SENTINEL = 'dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX';
/** How many fuses Electron 45 has. */
const FUSES = 9;

/** Writes the stub for Linux into `folder`. */
export function writeStubDist(folder: string, version: string): void {
  for (const name of ['locales', 'resources']) mkdirSync(join(folder, name), { recursive: true });
  const wire = Buffer.concat([
    Buffer.from(`not Electron\n${SENTINEL}`),
    Buffer.from([Number(FuseVersion.V1), FUSES]),
    Buffer.from('0'.repeat(FUSES)),
    Buffer.from('\n'),
  ]);
  writeFileSync(join(folder, 'electron'), wire, { mode: 0o755 });
  writeFileSync(join(folder, 'version'), version);
  writeFileSync(join(folder, 'LICENSE'), 'stub');
  writeFileSync(join(folder, 'LICENSES.chromium.html'), 'stub');
  writeFileSync(join(folder, 'locales', 'en-US.pak'), 'stub');
}
