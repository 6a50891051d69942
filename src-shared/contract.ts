/** The one API of the product. Only composes. */
import { agentsContract } from '#shared/agents/contract.ts';
import { attachmentsContract } from '#shared/attachments/contract.ts';
import { authContract } from '#shared/auth/contract.ts';
import { boundaryContract } from '#shared/boundary/contract.ts';
import { egressContract } from '#shared/egress/contract.ts';
import { enrolmentsContract } from '#shared/enrolments/contract.ts';
import { journalContract } from '#shared/journal/contract.ts';
import { messagesContract } from '#shared/messages/contract.ts';
import { middlewareContract } from '#shared/middleware/contract.ts';
import { projectsContract } from '#shared/projects/contract.ts';
import { provenanceContract } from '#shared/provenance/contract.ts';
import { retentionContract } from '#shared/retention/contract.ts';
import { runtimesContract } from '#shared/runtimes/contract.ts';
import { searchContract } from '#shared/search/contract.ts';
import { secretsContract } from '#shared/secrets/contract.ts';
import { sessionsContract } from '#shared/sessions/contract.ts';
import { settingsContract } from '#shared/settings/contract.ts';
import { systemContract } from '#shared/system/contract.ts';
import { teamsContract } from '#shared/teams/contract.ts';
import { terminalsContract } from '#shared/terminals/contract.ts';
import { topicsContract } from '#shared/topics/contract.ts';
import { workspacesContract } from '#shared/workspaces/contract.ts';

/** Every capability of the product: each procedure is reachable by IPC, WebSocket, REST and MCP. */
export const contract = {
  agents: agentsContract,
  attachments: attachmentsContract,
  auth: authContract,
  boundary: boundaryContract,
  egress: egressContract,
  enrolments: enrolmentsContract,
  journal: journalContract,
  messages: messagesContract,
  middleware: middlewareContract,
  projects: projectsContract,
  provenance: provenanceContract,
  retention: retentionContract,
  runtimes: runtimesContract,
  search: searchContract,
  secrets: secretsContract,
  sessions: sessionsContract,
  settings: settingsContract,
  system: systemContract,
  teams: teamsContract,
  terminals: terminalsContract,
  topics: topicsContract,
  workspaces: workspacesContract,
};
/** Every capability of the product. */
export type Contract = typeof contract;
