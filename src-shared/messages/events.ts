/** What the journal says about messages: that they were sent, died, were brought back. Other steps of deliveries are pushed apart. */
import * as z from 'zod';
import { Message } from './model.ts';

/** Data of each journal event about messages, by kind. The subject is the message's id. */
export const messageEvents = {
  'message.sent': z.object({ message: Message }),
  /** Copies of a message died, all at once: nobody will be handed them any more. */
  'message.dead': z.object({ recipients: z.array(z.string()), reason: z.string(), deadAt: z.number().int() }),
  /** Dead copies of a message were put back into their inboxes. */
  'message.retried': z.object({ recipients: z.array(z.string()) }),
};
