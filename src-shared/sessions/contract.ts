/** Procedures about sessions: what ran before, their mirrors in files, and messages that come from or go to files. */
import * as z from 'zod';
import { ProjectId, SessionId } from '#shared/kernel/ids.ts';
import { command, IdempotencyKey, procedure, query } from '#shared/kernel/procedure.ts';
import { ExportFilter, ExportFormat } from './export-filter.ts';
import { ImportReport, MirrorPlace, MirrorState, SessionSummary } from './model.ts';

/** Procedures about sessions. */
export const sessionsContract = {
  list: procedure(query('list_sessions'), {
    method: 'GET',
    path: '/sessions',
    summary: 'List sessions',
    description:
      'Lists the runs of the crew, the newest first, with how many messages each has, who took part, and where its mirror is. Messages are always sent into the current one; every other one is read-only. State an id as sessionId in list_messages to read it.',
  })
    .input(z.strictObject({ limit: z.number().int().min(1).max(500).default(50) }))
    .output(z.object({ sessions: z.array(SessionSummary) })),

  get: procedure(query('get_session'), {
    method: 'GET',
    path: '/sessions/{id}',
    summary: 'One session',
    description: 'Returns a session: start, end, messages, participants, and where its mirror is.',
  })
    .input(z.strictObject({ id: SessionId }))
    .output(SessionSummary),

  mirrors: procedure(query('get_mirrors'), {
    method: 'GET',
    path: '/sessions:mirrors',
    summary: 'How the mirrors are doing',
    description:
      "Says of the mirror in the data folder, and of those that projects keep in their own folders, how many messages are not in it yet, and why when it stands still. A mirror that stands still keeps no message from being sent: it is refilled when it can go on. Files of a mirror are append-only JSON lines, and import_messages reads a session's folder again.",
  })
    .input(z.strictObject({}))
    .output(z.object({ mirrors: z.array(MirrorState) })),

  placeMirror: procedure(command('place_mirror', 'MEDIUM', { role: 'operator' }), {
    method: 'POST',
    path: '/sessions:place-mirror',
    summary: 'Place the mirror of a project',
    description:
      'Keeps the mirror of a project\'s messages in a folder of the project from now on, such as "./.crowd/sessions/{timestamp}"; null puts it back into the data folder. What was mirrored before stays where it is. Agents that write to the project can read and change such a mirror: the messages themselves stay in the core.',
  })
    .input(z.strictObject({ projectId: ProjectId, place: MirrorPlace.nullable(), idempotencyKey: IdempotencyKey.optional() }))
    .output(MirrorState),

  import: procedure(command('import_messages', 'HIGH', { role: 'operator' }), {
    method: 'POST',
    path: '/messages:import',
    summary: 'Import messages from files',
    description:
      'Reads the messages of a session\'s folder (a mirror of Quarterdeck, or a session of crowd-mcp) or of one exported .jsonl file on the core\'s machine. They are added as an earlier session that nobody can write to, with their senders as written there: imported messages are not signed by this core. Nothing is handed to anybody: copies that had not been read count as dead with the reason "imported". Importing twice adds nothing. When a message is here already with other content, nothing is imported, and it is named.',
  })
    .input(
      z.strictObject({
        path: z.string().min(1).max(4_096).describe('Absolute path of the folder, or of one .jsonl file'),
        projectId: ProjectId.optional().describe('Where messages go whose project is not known here. Needed for crowd-mcp'),
        idempotencyKey: IdempotencyKey.optional(),
      }),
    )
    .output(ImportReport),

  exportPage: procedure(query('export_messages'), {
    method: 'GET',
    path: '/messages:export-page',
    summary: 'A piece of an export',
    description:
      'Returns messages as text, oldest first, as JSON lines or CSV: append the pieces to a file until "next" is null, and state "next" as "after" for each further one. GET /api/v1/messages:export gives the whole as one download; `quarterdeck messages export` writes it to a file.',
  })
    .input(
      ExportFilter.extend({
        format: ExportFormat,
        after: z.string().max(20).optional().describe('"next" of the piece before; without it the export begins'),
      }),
    )
    .output(z.object({ text: z.string(), messages: z.number().int(), next: z.string().nullable() })),
};
