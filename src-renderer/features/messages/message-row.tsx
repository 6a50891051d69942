import { ArrowRight, Check, CheckCheck, Clock, CornerDownRight, Database } from 'lucide-react';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { Button } from '#renderer/ui/button.tsx';
import { clockTime, fullTime } from '#renderer/ui/format-time.ts';
import type { DeliveryState, Message } from '#shared/messages/model.ts';
import type { DeliveryLook } from './delivery-look.ts';
import { deliveryLook, nameOf } from './delivery-look.ts';

const DELIVERY_ICONS: Readonly<Record<DeliveryLook['icon'], ReactNode>> = {
  queued: <Clock aria-hidden className="size-3" />,
  delivered: <Check aria-hidden className="size-3" />,
  acknowledged: <CheckCheck aria-hidden className="size-3" />,
  unknown: <Database aria-hidden className="size-3" />,
};

/** Of a longer text only the beginning is shown at first: its first paragraph, at most so many characters. */
const PREVIEW_CHARS = 280;

/** The beginning of a text, undefined when it is short enough to be shown whole. */
function previewOf(body: string): string | undefined {
  const text = body.trim();
  const [first = ''] = text.split(/\n\s*\n/, 1);
  if (first.length > PREVIEW_CHARS) return `${first.slice(0, PREVIEW_CHARS).trimEnd()}…`;
  return first.length < text.length ? first : undefined;
}

interface MessageRowProps {
  readonly message: Message;
  readonly deliveries: Readonly<Record<string, DeliveryState>> | undefined;
  /** Unread in the operator's inbox. */
  readonly isUnread: boolean;
  readonly onReply: (message: Message) => void;
  readonly onAcknowledge: (message: Message) => void;
}

/** One message: who to whom, what for, the text, and where its copies stand. */
export function MessageRow({ message, deliveries, isUnread, onReply, onAcknowledge }: MessageRowProps): ReactNode {
  const look = deliveryLook(message, deliveries);
  // Only a question or a task waits for an answer; everything else is there to be read.
  const needsAnswer = isUnread && (message.kind === 'request' || message.kind === 'task');
  const preview = previewOf(message.body);
  const [isWhole, setWhole] = useState(false);
  // What went as it should takes no line of its own.
  const isSettled = look.icon === 'acknowledged';
  const isReply = message.inReplyTo !== null;
  return (
    <li className={`border-b px-4 pt-[7px] pb-2 ${needsAnswer ? 'border-needs-line bg-needs-bg' : 'border-hair'}`}>
      <div className="flex items-center gap-1.5 text-12 leading-[18px] whitespace-nowrap text-tx-3">
        {isReply ? <CornerDownRight role="img" aria-label="in reply" className="size-3 flex-none" /> : null}
        <strong className="truncate text-13 font-strong text-tx-1">{nameOf(message.from.id)}</strong>
        <ArrowRight role="img" aria-label="to" className="size-3 flex-none" />
        <strong className="truncate text-13 font-strong text-tx-1">{message.to.map(nameOf).join(', ')}</strong>
        <span>{message.kind}</span>
        {message.priority === 'normal' ? null : (
          <span className="text-11 font-strong tracking-[0.03em] text-tx-2 uppercase">{message.priority}</span>
        )}
        <time dateTime={new Date(message.sentAt).toISOString()} title={fullTime(message.sentAt)} className="figures ml-auto pl-2">
          {clockTime(message.sentAt)}
        </time>
        {isSettled ? (
          <span title={look.words} className="flex-none">
            {DELIVERY_ICONS[look.icon]}
            <span className="sr-only">{look.words}</span>
          </span>
        ) : null}
      </div>
      {message.subject === null ? null : (
        <p className="mt-px text-13 leading-[18px] font-medium break-words">{message.subject}</p>
      )}
      <p className={`mt-px leading-[18px] break-words whitespace-pre-wrap ${isUnread ? 'text-tx-1' : 'text-tx-2'}`}>
        {preview === undefined || isWhole ? message.body.trim() : preview}
      </p>
      {preview !== undefined || isUnread || !isSettled ? (
        <div className="mt-1 flex flex-wrap items-center gap-1.5 text-12 text-tx-3">
          {isUnread ? (
            <>
              <Button size="small" look={needsAnswer ? 'ink' : 'outline'} onClick={() => onReply(message)}>
                Reply
              </Button>
              <Button size="small" onClick={() => onAcknowledge(message)}>
                Mark as read
              </Button>
            </>
          ) : null}
          {preview === undefined ? null : (
            <Button
              size="small"
              look="quiet"
              className={isUnread ? '' : '-ml-[9px]'}
              aria-expanded={isWhole}
              onClick={() => setWhole(!isWhole)}
            >
              {isWhole ? 'Show less' : 'Show all'}
            </Button>
          )}
          {isSettled ? null : (
            <span className="ml-auto inline-flex items-center gap-1.5 whitespace-nowrap">
              {DELIVERY_ICONS[look.icon]}
              {look.words}
            </span>
          )}
        </div>
      ) : null}
    </li>
  );
}
