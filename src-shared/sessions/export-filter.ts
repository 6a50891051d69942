/** Which messages an export takes: the filters of the history (list_messages), without its places. */
import * as z from 'zod';
import { MessageId, ProjectId, SessionId } from '#shared/kernel/ids.ts';
import { DeliveryState, MessageKind, Priority } from '#shared/messages/model.ts';

/** A participant of a message: an agent's id, or "operator". */
const Participant = z.string().max(64);

/** Forms of an export. */
export const ExportFormat = z
  .enum(['jsonl', 'csv'])
  .describe('jsonl: one JSON object per line, which import_messages reads again. csv: for spreadsheets')
  .default('jsonl');
/** Forms of an export. */
export type ExportFormat = z.infer<typeof ExportFormat>;

/** Which messages an export takes. */
export const ExportFilter = z.strictObject({
  projectId: ProjectId.optional(),
  sessionId: SessionId.optional(),
  participant: Participant.optional().describe('An agent\'s id or "operator": what it sent or was sent'),
  from: Participant.optional().describe('Id of the sender'),
  to: Participant.optional().describe('Who was sent a copy'),
  forOperator: z.boolean().optional(),
  kind: MessageKind.optional(),
  priority: Priority.optional(),
  state: z.union([DeliveryState, z.literal('unsettled')]).optional(),
  threadId: MessageId.optional(),
});
/** Which messages an export takes. */
export type ExportFilter = z.infer<typeof ExportFilter>;
