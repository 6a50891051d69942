/** Team files: reading one, and putting the real ids of its agents where it names them. Pure. */
import { parse } from 'yaml';
import { describeInvalid } from '#shared/kernel/describe-issues.ts';
import { AppError, messageOf } from '#shared/kernel/errors.ts';
import { AgentId } from '#shared/kernel/ids.ts';
import type { Json } from '#shared/kernel/json.ts';
import { Address } from '#shared/messages/model.ts';
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
    const { message, fields } = describeInvalid(Team, result.error, value);
    throw new AppError('BAD_REQUEST', `The team file is not valid: ${message}.`, { data: { fields } });
  }
  return result.data;
}

/** Replaces every text "@<id>" by the real id of that agent of the team, at any depth. Other texts stay as they are. */
export function replaceAgents(value: Json, realIds: ReadonlyMap<string, string>): Json {
  if (typeof value === 'string') return value.startsWith('@') ? (realIds.get(value.slice(1)) ?? value) : value;
  if (Array.isArray(value)) return value.map((entry) => replaceAgents(entry, realIds));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, replaceAgents(entry, realIds)]));
  return value;
}

/** The team with every question to the operator waiting so many milliseconds for its answer. */
export function withPatience(team: Team, waitMs: number): Team {
  const patient = (value: Json): Json => {
    if (Array.isArray(value)) return value.map(patient);
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value).map(([key, entry]) => [key, patient(entry)] as const);
    return Object.fromEntries(value['op'] === 'question' ? [...entries, ['waitMs', waitMs]] : entries);
  };
  return { ...team, start: team.start.map((message) => ({ ...message, data: message.data && patient(message.data) })) };
}

/** A suffix such as "" or "-2" with which none of the ids is taken. BAD_REQUEST when an id is too long to take one. */
export function freeSuffix(ids: readonly string[], isTaken: (id: AgentId) => boolean): string {
  for (let n = 1; ; n += 1) {
    const suffix = n === 1 ? '' : `-${n}`;
    if (ids.every((id) => !isTaken(suffixed(id, suffix)))) return suffix;
  }
}

/** An id of the team with the suffix of this bringing-up. BAD_REQUEST when that makes no id. */
export function suffixed(id: string, suffix: string): AgentId {
  const result = AgentId.safeParse(`${id}${suffix}`);
  if (result.success) return result.data;
  throw new AppError(
    'BAD_REQUEST',
    `The id "${id}${suffix}" ${result.error.issues[0]?.message ?? 'is not valid'}. Shorten the id "${id}" in the team, or remove the earlier team.`,
    {
      data: { field: 'agents' },
    },
  );
}

/** BAD_REQUEST when two agents of a team have the same id, or a start message goes to what is no address. */
export function checkTeam(team: Team): void {
  const ids = team.agents.map((agent) => agent.id);
  const twice = ids.findIndex((id, index) => ids.indexOf(id) !== index);
  if (twice !== -1)
    throw new AppError(
      'BAD_REQUEST',
      `"agents.${twice}.id": "${ids[twice]}" occurs twice in the team. Give each agent an id of its own.`,
      { data: { field: `agents.${twice}.id` } },
    );
  const astray = team.start.findIndex((message) => !Address.safeParse(message.to).success);
  if (astray !== -1) {
    throw new AppError(
      'BAD_REQUEST',
      `"start.${astray}.to" must be the id of an agent, "operator", or "*" for all; "${team.start[astray]?.to}" is not.`,
      { data: { field: `start.${astray}.to` } },
    );
  }
}
