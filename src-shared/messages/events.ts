/** What the journal says about messages: that they were sent. Deliveries are rows of their own and are pushed apart. */
import * as z from 'zod';
import { Message } from './model.ts';

/** Data of each journal event about messages, by kind. The subject is the message's id. */
export const messageEvents = {
  'message.sent': z.object({ message: Message }),
};
