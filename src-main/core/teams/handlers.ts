/** Handlers of the teams' procedures. */
import type { teamsContract } from '#shared/teams/contract.ts';
import type { HandlersOf } from '#core/procedures.ts';
import type { TeamsService } from './teams-service.ts';

/** Handlers of the teams' procedures. */
export function teamsHandlers(teams: TeamsService): HandlersOf<typeof teamsContract> {
  return {
    up: (input, { caller }) => teams.up(input, caller),
    sample: (input, { caller }) => teams.sample(input, caller),
  };
}
