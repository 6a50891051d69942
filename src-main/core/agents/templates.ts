/** Agent templates: YAML files shipped with the product and kept in the data folder; the latter win by name. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { AgentTemplate } from '#shared/agents/model.ts';
import { describeInvalid } from '#shared/kernel/describe-issues.ts';
import { AppError, messageOf } from '#shared/kernel/errors.ts';

/** A template and where it comes from. */
export interface FoundTemplate extends AgentTemplate {
  readonly source: 'built-in' | 'data-folder';
}

/** What is in the template folders. */
export interface TemplateList {
  readonly templates: readonly FoundTemplate[];
  /** Files that could not be read, and why. */
  readonly problems: readonly { readonly file: string; readonly problem: string }[];
}

/** Largest template file, in characters. */
const MAX_CHARS = 256 * 1024;

/** Reads one template. Fails with BAD_REQUEST that says what is wrong. */
export function parseTemplate(text: string): AgentTemplate {
  if (text.length > MAX_CHARS) throw new AppError('PAYLOAD_TOO_LARGE', `a template may have at most ${MAX_CHARS} characters`);
  let value: unknown;
  try {
    value = parse(text, { maxAliasCount: 50 });
  } catch (error) {
    throw new AppError('BAD_REQUEST', `is not YAML: ${messageOf(error)}`, { cause: error });
  }
  const result = AgentTemplate.safeParse(value);
  if (!result.success) throw new AppError('BAD_REQUEST', describeInvalid(AgentTemplate, result.error, value).message);
  return result.data;
}

/** Reads the templates of both folders, each time anew: they are few, and people edit them. */
export class Templates {
  readonly #builtInDir: string;
  readonly #ownDir: string;

  constructor(options: { builtInDir: string; ownDir: string }) {
    this.#builtInDir = options.builtInDir;
    this.#ownDir = options.ownDir;
  }

  /** All templates, ordered by name. */
  async list(): Promise<TemplateList> {
    const builtIn = await this.#readFolder(this.#builtInDir, 'built-in');
    const own = await this.#readFolder(this.#ownDir, 'data-folder');
    const byName = new Map<string, FoundTemplate>();
    for (const template of [...builtIn.templates, ...own.templates]) byName.set(template.name, template);
    return {
      templates: [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
      problems: [...builtIn.problems, ...own.problems],
    };
  }

  /** One template; NOT_FOUND names those that there are. */
  async get(name: string): Promise<FoundTemplate> {
    const { templates } = await this.list();
    const template = templates.find((entry) => entry.name === name);
    if (!template) {
      const names = templates.map((entry) => entry.name);
      throw new AppError(
        'NOT_FOUND',
        `There is no template "${name}". There are${names.length === 0 ? ' none' : `: ${names.join(', ')}`}.`,
        { data: { field: 'template', names } },
      );
    }
    return template;
  }

  async #readFolder(
    dir: string,
    source: FoundTemplate['source'],
  ): Promise<{ templates: FoundTemplate[]; problems: { file: string; problem: string }[] }> {
    const names = await readdir(dir).catch(() => []);
    const templates: FoundTemplate[] = [];
    const problems: { file: string; problem: string }[] = [];
    for (const name of names.filter((entry) => /\.ya?ml$/.test(entry)).sort()) {
      const file = join(dir, name);
      try {
        templates.push({ ...parseTemplate(await readFile(file, 'utf8')), source });
      } catch (error) {
        problems.push({ file, problem: messageOf(error) });
      }
    }
    return { templates, problems };
  }
}
