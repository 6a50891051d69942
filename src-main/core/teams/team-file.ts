/** Team files: reading one, and putting the real ids of its agents where it names them. Pure. */
import { parse } from 'yaml';
import { AppError, messageOf } from '#shared/kernel/errors.ts';
import type { Json } from '#shared/kernel/json.ts';
import { Team } from '#shared/teams/model.ts';

/** Reads a team file (YAML, JSON included). BAD_REQUEST names the fields that are wrong and what is allowed. */
export function parseTeam(text: string): Team {
  let value: unknown;
  try {
    value = parse(text, { maxAliasCount: 50 });
  } catch (error) {
    throw new AppError('BAD_REQUEST', `The team file is not YAML: ${messageOf(error)}`, { cause: error });
  }
  const result = Team.safeParse(value);
  if (!result.success) {
    const issues = result.error.issues.map((issue) => `${issue.path.length > 0 ? issue.path.join('.') : 'team'}: ${issue.message}`);
    throw new AppError('BAD_REQUEST', `The team file is not valid: ${issues.join('; ')}.`, { data: { fields: result.error.issues.map((issue) => issue.path.join('.')) } });
  }
  return result.data;
}

/** Replaces every text "@<id>" by the real id of that agent of the team, at any depth. Other texts stay as they are. */
export function replaceAgents(value: Json, realIds: ReadonlyMap<string, string>): Json {
  if (typeof value === 'string') return value.startsWith('@') ? (realIds.get(value.slice(1)) ?? value) : value;
  if (Array.isArray(value)) return value.map((entry) => replaceAgents(entry, realIds));
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, replaceAgents(entry, realIds)]));
  return value;
}

/** A suffix such as "" or "-2" with which none of the ids is taken. */
export function freeSuffix(ids: readonly string[], isTaken: (id: string) => boolean): string {
  for (let n = 1; ; n += 1) {
    const suffix = n === 1 ? '' : `-${n}`;
    if (ids.every((id) => !isTaken(`${id}${suffix}`))) return suffix;
  }
}
