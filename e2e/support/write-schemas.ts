/** `npm run schemas`: writes the JSON schemas of templates and team files into assets/schemas. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { schemaFiles } from './schemas.ts';
import { REPOSITORY } from './this-repository.ts';

for (const [name, text] of Object.entries(schemaFiles())) writeFileSync(join(REPOSITORY, 'assets', 'schemas', name), text);
