import type { ReactNode } from 'react';
import type { Copies } from '#renderer/store/message-filter.ts';
import { Button } from '#renderer/ui/button.tsx';
import { fullTime } from '#renderer/ui/format-time.ts';
import { useNow } from '#renderer/ui/use-now.ts';
import type { Delivery, Message } from '#shared/messages/model.ts';
import { ownEntry } from '#shared/kernel/own-entry.ts';
import type { PathStep } from './delivery-path.ts';
import { openRecipients, pathOf, reasonText } from './delivery-path.ts';
import { Fact, FactList } from './fact-list.tsx';
import { nameOf, namesOf, tookText } from './message-words.ts';
import { SignatureFact } from './signature-fact.tsx';

/** Where a copy stands is looked at anew so often, in milliseconds: leases end and delays pass without an event. */
const NOW_EVERY_MS = 5_000;

const precise = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
});

/** "14:02:11.204". */
export function preciseTime(at: number): string {
  return precise.format(at);
}

/** The short form of an id, for the eye only. */
export function shortId(id: string): string {
  return `${id.slice(0, 8)}…${id.slice(-4)}`;
}

interface DeliveryFactsProps {
  readonly message: Message;
  readonly copies: Copies | undefined;
  readonly repliedAt: number | undefined;
}

/** When a message with one recipient was stored, delivered, acknowledged and replied to; of several how many. */
export function MessageFacts({ message, copies, repliedAt }: DeliveryFactsProps): ReactNode {
  const { recipients } = message;
  const [only] = recipients.length === 1 ? recipients.flatMap((recipient) => ownEntry(copies ?? {}, recipient) ?? []) : [];
  const read = recipients.filter((recipient) => ownEntry(copies ?? {}, recipient)?.state === 'read').length;
  return (
    <FactList>
      <Fact name="Stored">
        <Time at={message.sentAt} />
      </Fact>
      {only === undefined ? (
        recipients.length > 1 ? (
          <Fact name="Acknowledged">
            {read} of {recipients.length}
          </Fact>
        ) : null
      ) : (
        <>
          <Fact name="Delivered">{only.deliveredAt === null ? pending(only) : <Time at={only.deliveredAt} />}</Fact>
          <Fact name="Acknowledged">{only.readAt === null ? pending(only) : <Time at={only.readAt} />}</Fact>
        </>
      )}
      {only?.state === 'dead' ? (
        <Fact name="Dead" isFailed>
          {only.deadAt === null ? null : <Time at={only.deadAt} />} {reasonText(only.deadReason)}
        </Fact>
      ) : null}
      {repliedAt === undefined ? null : (
        <Fact name="Replied">
          <Time at={repliedAt} />
        </Fact>
      )}
      <Fact name="Sender">
        {nameOf(message.from.id)}
        {message.from.kind === 'token' ? ' (a token)' : ''}, in the {message.originator.boundary} boundary
        {message.originator.id === message.from.id ? '' : `, for ${nameOf(message.originator.id)}`}
      </Fact>
      <SignatureFact messageId={message.id} />
    </FactList>
  );
}

function pending(copy: Delivery): string {
  return copy.state === 'dead' ? 'never' : copy.state === 'read' ? '' : 'not yet';
}

interface DeliveryDetailsProps extends DeliveryFactsProps {
  /** Takes the message back from those who have not acknowledged it. */
  readonly onCancel: () => void;
  /** Delivers the dead copy of a recipient again. */
  readonly onRetry: (recipient: string) => void;
}

/** Everything about a message's way: the path of each copy as steps, first, and what can be done about it; and its facts and ids. */
export function DeliveryDetails({ message, copies, repliedAt, onCancel, onRetry }: DeliveryDetailsProps): ReactNode {
  const now = useNow(NOW_EVERY_MS);
  const open = openRecipients(message.recipients, (recipient) => ownEntry(copies ?? {}, recipient));
  const canBeTakenBack = message.from.kind === 'operator' && open.length > 0;
  return (
    <>
      <div className="flex min-h-6 items-center gap-2">
        <h2 className="min-w-0 flex-1 text-12 font-strong">
          {message.recipients.length === 0 ? 'Nobody was there to get it' : 'On its way'}
        </h2>
        {canBeTakenBack ? (
          <Button size="small" onClick={onCancel}>
            Take it back
          </Button>
        ) : null}
      </div>
      {canBeTakenBack ? (
        <p className="mt-0.5 mb-1 text-12 text-pretty text-tx-3">
          Then {open.length === 1 ? namesOf(open) : `whoever has not acknowledged it (${namesOf(open, 4)})`} is not handed it any
          more, and is told so if it has it already.
        </p>
      ) : null}
      <ul>
        {message.recipients.map((recipient) => (
          <li key={recipient} className="border-t border-hair py-1.5 first:border-t-0">
            <Path
              message={message}
              recipient={recipient}
              copy={ownEntry(copies ?? {}, recipient)}
              now={now}
              onRetry={() => onRetry(recipient)}
            />
          </li>
        ))}
      </ul>
      <div className="mt-3 border-t border-hair pt-3">
        <MessageFacts message={message} copies={copies} repliedAt={repliedAt} />
        <FactList>
          <Fact name="To">{namesOf(message.to, 6)}</Fact>
          {message.topic === null ? null : <Fact name="Topic">{message.topic}</Fact>}
          {message.notBefore === null ? null : <Fact name="Not before">{fullTime(message.notBefore)}</Fact>}
          <Fact name="Expires">{message.expiresAt === null ? 'never' : fullTime(message.expiresAt)}</Fact>
          {message.replyBy === null ? null : (
            <Fact name="Answer by" isFailed={repliedAt === undefined && message.replyBy < now}>
              {fullTime(message.replyBy)}
              {repliedAt === undefined && message.replyBy < now ? ', passed without an answer' : ''}
            </Fact>
          )}
          <Fact name="Message">
            <code className="font-code text-12 break-all">{message.id}</code>
          </Fact>
          <Fact name="Thread">
            <code className="font-code text-12 break-all">{message.threadId}</code>
          </Fact>
        </FactList>
      </div>
    </>
  );
}

interface PathProps {
  readonly message: Message;
  readonly recipient: string;
  readonly copy: Delivery | undefined;
  readonly now: number;
  readonly onRetry: () => void;
}

function Path({ message, recipient, copy, now, onRetry }: PathProps): ReactNode {
  return (
    <>
      <div className="flex items-center gap-2">
        <p className="min-w-0 flex-1 truncate text-12 leading-[18px] font-medium">{nameOf(recipient)}</p>
        {copy?.state === 'dead' ? (
          <Button size="small" aria-label={`Deliver again to ${nameOf(recipient)}`} onClick={onRetry}>
            Retry
          </Button>
        ) : null}
      </div>
      {copy === undefined ? (
        <p className="text-12 leading-[18px] text-tx-3">Stored. Where its copy stands is being asked for.</p>
      ) : (
        <ol className="mt-0.5">
          {pathOf(copy, now).map((step) => (
            <Step key={step.name} step={step} sentAt={message.sentAt} />
          ))}
        </ol>
      )}
    </>
  );
}

const STEP_MARKS = {
  done: 'border-tx-2 bg-tx-2',
  now: 'border-tx-1',
  open: 'border-hair-strong',
  failed: 'border-st-failed bg-st-failed',
} as const;

function Step({ step, sentAt }: { readonly step: PathStep; readonly sentAt: number }): ReactNode {
  const tone = { done: 'text-tx-2', now: 'text-tx-1', open: 'text-tx-3', failed: 'text-st-failed' }[step.state];
  return (
    <li
      className={`relative grid grid-cols-[14px_92px_minmax(0,1fr)_auto] items-baseline gap-x-1 text-12 leading-[18px] before:absolute before:-top-[5px] before:left-[3.5px] before:h-2.5 before:border-l before:border-hair-strong first:before:hidden ${tone}`}
    >
      <span aria-hidden className={`size-2 rounded-full border-[1.5px] ${STEP_MARKS[step.state]}`} />
      <span>{step.name}</span>
      <span className="min-w-0 text-pretty [overflow-wrap:anywhere]">
        {step.at === null ? (
          step.state === 'open' ? (
            'not yet'
          ) : null
        ) : (
          <time dateTime={new Date(step.at).toISOString()} title={fullTime(step.at)} className="figures mr-1.5">
            {preciseTime(step.at)}
          </time>
        )}
        {step.note}
      </span>
      <span className="figures text-12 text-tx-3">
        {step.at === null || step.name === 'queued' ? '' : `+${tookText(step.at - sentAt)}`}
      </span>
    </li>
  );
}

function Time({ at }: { readonly at: number }): ReactNode {
  return (
    <time dateTime={new Date(at).toISOString()} title={fullTime(at)} className="figures text-12">
      {preciseTime(at)}
    </time>
  );
}
