/** For tests of agents on the host: a shared folder for a workspace, and boxes that nobody may ask for. */
import { mintId, ProjectId } from '#shared/kernel/ids.ts';
import type { PreparedWorkspace } from '#core/workspaces/workspaces-service.ts';
import type { BoxServices, LauncherOptions } from '../agent-launcher.ts';

/** Every agent works in `folder` itself. */
export function sharedWorkspace(folder: string): LauncherOptions['workspaceOf'] {
  return (agent): Promise<PreparedWorkspace> =>
    Promise.resolve({
      workspace: {
        agentId: agent.id,
        projectId: ProjectId.parse(mintId('prj')),
        kind: 'shared',
        folder,
        inside: folder,
        branch: null,
        base: null,
        createdAt: 0,
      },
      user: { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
      readOnly: [],
    });
}

/** No agent of the test is in a box. */
export const NO_BOXES: BoxServices = {
  guestsDir: '/nonexistent',
  serve: () => Promise.reject(new Error('This test has no boxes')),
  environmentOf: () => ({}),
  openLine: () => Promise.reject(new Error('This test has no boxes')),
  openDesk: () => Promise.reject(new Error('This test has no boxes')),
};
