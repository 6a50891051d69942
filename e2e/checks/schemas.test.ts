/** The JSON schemas in assets are those of the code, and every file that ships is valid. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseTemplate } from '#core/agents/templates.ts';
import { parseTeam } from '#core/teams/team-file.ts';
import { schemaFiles } from '#e2e/support/schemas.ts';
import { REPOSITORY } from '#e2e/support/this-repository.ts';

const assets = join(REPOSITORY, 'assets');

describe('the schemas', () => {
  it.each(Object.entries(schemaFiles()))('%s is up to date (npm run schemas)', (name, text) => {
    expect(readFileSync(join(assets, 'schemas', name), 'utf8')).toBe(text);
  });

  it.each(readdirSync(join(assets, 'templates')))('template %s is valid', (name) => {
    expect(parseTemplate(readFileSync(join(assets, 'templates', name), 'utf8')).name).toBe(name.replace('.yaml', ''));
  });

  it.each(readdirSync(join(assets, 'teams')))('team %s is valid', (name) => {
    expect(parseTeam(readFileSync(join(assets, 'teams', name), 'utf8')).name).toBe(name.replace('.yaml', ''));
  });
});
