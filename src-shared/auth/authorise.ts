/** The one rule on who may call what. Everything that is not stated here is refused. */
import type { ProcedureMeta } from '#shared/kernel/procedure.ts';
import type { Audience, Risk, Role } from './model.ts';
import { RISKS } from './model.ts';

/** The managing roles, weakest first. */
const MANAGE_ORDER: readonly Role[] = ['observer', 'automation', 'operator'];

/**
 * The highest risk each role may take upon itself. What lies above needs an operator; there is no approval flow
 * that could grant it, so it is refused.
 */
const HIGHEST_RISK: Readonly<Record<Role, Risk>> = {
  operator: 'CRITICAL',
  automation: 'MEDIUM',
  observer: 'LOW',
  coordinator: 'MEDIUM',
  agent: 'LOW',
  applicant: 'LOW',
};

/** The interface a role speaks on. */
export function audienceOf(role: Role): Exclude<Audience, 'both'> {
  return role === 'agent' || role === 'coordinator' || role === 'applicant' ? 'agent' : 'manage';
}

/** Whether a tool is among the few that are listed on a side without being asked for. */
export function isCoreTool({ toolset }: Pick<ProcedureMeta, 'toolset'>, side: Exclude<Audience, 'both'>): boolean {
  return toolset === 'core' || (toolset === 'agent-core' && side === 'agent');
}

/** Why a call is refused. */
export interface Refusal {
  readonly reason: string;
}

/** Decides whether `role` may call a procedure with this metadata: undefined means yes. */
export function refusalFor(role: Role, meta: ProcedureMeta): Refusal | undefined {
  if (role === 'applicant' && meta.isForApplicants !== true) return { reason: 'needs a token; enrol with register_agent first' };
  const side = audienceOf(role);
  if (meta.audience !== 'both' && meta.audience !== side) {
    return {
      reason: `belongs to the ${meta.audience === 'agent' ? 'agent' : 'management'} interface; role "${role}" speaks on the ${side === 'agent' ? 'agent' : 'management'} one`,
    };
  }
  if (side === 'manage' && MANAGE_ORDER.indexOf(role) < MANAGE_ORDER.indexOf(meta.role)) {
    return { reason: `needs role "${meta.role}" or higher, this token has "${role}"` };
  }
  if (RISKS.indexOf(meta.risk) > RISKS.indexOf(HIGHEST_RISK[role])) {
    return { reason: `is rated ${meta.risk}; role "${role}" may do at most ${HIGHEST_RISK[role]}` };
  }
  return undefined;
}
