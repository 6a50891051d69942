/**
 * For the kill test: indexes the messages of a folder a small step at a time until this process is killed. Run by Node with
 * the folder; writes how far it is after each step.
 */
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { openDatabase } from '#core/store/database.ts';
import { SearchIndex } from '#core/search/search-index.ts';

const dir = process.argv[2] ?? '.';
const messages = openDatabase(join(dir, 'quarterdeck.db'), { readOnly: true });
const index = new SearchIndex({ file: join(dir, 'search.db'), messages, onRebuild: (reason) => writeSync(2, `${reason}\n`) });
while (index.step(50)) writeSync(1, `${index.state().indexed}\n`);
