import { CalendarDays, PanelRight, X } from 'lucide-react';
import type { ReactNode } from 'react';
import { useAgents, useProject } from '#renderer/store/project-scope.ts';
import { useOpenQuestions } from '#renderer/store/use-attention.ts';
import { useCounts } from '#renderer/store/use-messages.ts';
import { Button, IconButton } from '#renderer/ui/button.tsx';
import { Combobox } from '#renderer/ui/combobox.tsx';
import { Select } from '#renderer/ui/select.tsx';
import { StateMark } from '#renderer/ui/state-mark.tsx';
import { OPERATOR } from '#shared/messages/model.ts';
import type { SessionSummary } from '#shared/sessions/model.ts';
import type { FilterTexts } from './message-filters.ts';
import { KIND_CHOICES, PRIORITY_CHOICES, STATE_CHOICES } from './message-filters.ts';
import { sessionText } from './session-words.ts';
import { useTopics } from './use-topics.ts';

interface FilterBarProps {
  readonly texts: FilterTexts;
  readonly onChange: (changes: Partial<FilterTexts>) => void;
  readonly sessions: readonly SessionSummary[];
  /** The field that searches. */
  readonly search: ReactNode;
  readonly onPickDay: () => void;
  readonly isPanelOpen: boolean;
  readonly onTogglePanel: () => void;
}

/** A sort of messages, as a button. */
interface Sort {
  readonly text: string;
  readonly count: number | undefined;
  readonly note?: string | undefined;
  readonly isOn: boolean;
  readonly to: Partial<FilterTexts>;
}

const NONE: Partial<FilterTexts> = { for: '', kind: '', state: '', view: '' };

/** The screen's head: what is shown of all messages. */
export function FilterBar(props: FilterBarProps): ReactNode {
  const { texts, onChange, sessions, search, onPickDay, isPanelOpen, onTogglePanel } = props;
  const topics = useTopics().answer?.topics ?? [];
  const isTopics = texts.view === 'topics';
  // What narrows the timeline down shows it.
  const narrow = (changes: Partial<FilterTexts>): void => onChange({ view: '', ...changes });
  const counts = useCounts();
  const agents = useAgents();
  const projectId = useProject()?.id;
  const asking = useOpenQuestions().filter(
    ({ item, message }) => item.needsOperator && (projectId === undefined || message.projectId === projectId),
  ).length;
  const unread = counts?.forOperator;
  const isForYou = texts.for === 'you';
  const sorts: readonly Sort[] = [
    {
      text: 'All',
      count: counts?.total,
      isOn: !isTopics && !isForYou && texts.kind === '' && texts.state === '',
      to: NONE,
    },
    {
      text: 'For you',
      // The number that the rail shows too: who waits. What is there to be read only says so.
      count: asking > 0 ? asking : unread === 0 ? 0 : undefined,
      note: unread === undefined || unread <= asking ? undefined : `${unread.toLocaleString('en-GB')} unread`,
      isOn: isForYou && !isTopics,
      to: { ...NONE, for: 'you' },
    },
    { text: 'Requests', count: counts?.requests, isOn: texts.kind === 'request' && !isTopics, to: { ...NONE, kind: 'request' } },
    { text: 'Dead', count: counts?.dead, isOn: texts.state === 'dead' && !isTopics, to: { ...NONE, state: 'dead' } },
    { text: 'Topics', count: undefined, isOn: isTopics, to: { ...NONE, view: 'topics' } },
  ];
  const agentChoices = [
    { value: '', text: 'any' },
    { value: OPERATOR as string, text: 'you' },
    ...agents.map(({ id }) => ({ value: id as string, text: id as string })),
  ];
  const topicChoices = [
    { value: '', text: 'any' },
    ...topics.map(({ name, messages }) => ({ value: name, text: name, detail: messages.toLocaleString('en-GB') })),
    // One that nothing is known of, from an address: it is what is shown all the same.
    ...(texts.topic === '' || topics.some(({ name }) => name === texts.topic)
      ? []
      : [{ value: texts.topic, text: texts.topic, detail: 'no messages' }]),
  ];
  const sessionChoices = [
    { value: '', text: 'any' },
    ...sessions.map((each) => ({
      value: each.id as string,
      text: sessionText(each),
      detail: each.messages.toLocaleString('en-GB'),
    })),
  ];
  return (
    <header className="flex min-h-11 flex-none flex-wrap items-center gap-x-2 gap-y-1 border-b border-hair bg-bg-1 px-4 py-1.5">
      <h1 className="mr-1 text-14 font-strong">Messages</h1>
      <div role="group" aria-label="Which messages" className="flex min-w-0 flex-wrap items-center gap-0.5">
        {sorts.map(({ text, count, note, isOn, to }) => {
          const needs = text === 'For you' && asking > 0;
          return (
            <button
              key={text}
              type="button"
              aria-pressed={isOn}
              onClick={() => onChange(to)}
              className={`inline-flex h-7 items-center gap-1.5 rounded-2 px-2 text-12 whitespace-nowrap hover:bg-bg-2 aria-pressed:bg-bg-2 ${needs ? 'font-strong text-needs' : 'text-tx-2 aria-pressed:font-medium aria-pressed:text-tx-1'}`}
            >
              {needs ? <StateMark look={{ shape: 'triangle', tone: 'needs', word: '' }} /> : null}
              {text}
              {count === undefined ? null : (
                <span className={`figures font-regular ${needs ? '' : 'text-tx-3'}`}>{count.toLocaleString('en-GB')}</span>
              )}
              {note === undefined ? null : <span className="font-regular text-tx-3">{note}</span>}
            </button>
          );
        })}
      </div>
      {texts.thread === '' ? null : (
        <Button
          size="small"
          className="bg-select"
          onClick={() => onChange({ thread: '' })}
          icon={<X aria-hidden className="size-3" />}
        >
          One thread
        </Button>
      )}
      <div className="ml-auto flex min-w-0 flex-wrap items-center gap-1.5">
        {search}
        <Combobox
          label="Agent"
          value={texts.agent}
          options={agentChoices}
          onChange={(agent) => narrow({ agent })}
          className="h-6! max-w-52! border-hair!"
        />
        {topicChoices.length === 1 ? null : (
          <Combobox
            label="Topic"
            value={texts.topic}
            options={topicChoices}
            onChange={(topic) => narrow({ topic })}
            className="h-6! max-w-52! border-hair!"
          />
        )}
        <Select
          label="Priority"
          value={texts.priority}
          options={PRIORITY_CHOICES}
          onChange={(priority) => narrow({ priority })}
          className="h-6! border-hair!"
        />
        <Select
          label="Kind"
          value={texts.kind}
          options={KIND_CHOICES}
          onChange={(kind) => narrow({ kind })}
          className="h-6! border-hair!"
        />
        <Select
          label="State"
          value={texts.state}
          options={STATE_CHOICES}
          onChange={(state) => narrow({ state })}
          className="h-6! border-hair!"
        />
        {sessions.length < 2 && texts.session === '' ? null : (
          <Combobox
            label="Session"
            value={texts.session}
            options={sessionChoices}
            onChange={(session) => narrow({ session })}
            className="h-6! max-w-52! border-hair!"
          />
        )}
        <IconButton
          label="Go to a day"
          shortcut="d"
          size="small"
          icon={<CalendarDays aria-hidden className="size-3.5" />}
          onClick={onPickDay}
        />
        <span className="wide:hidden">
          <IconButton
            label={isPanelOpen ? 'Hide sequence and delivery' : 'Show sequence and delivery'}
            shortcut="i"
            size="small"
            pressed={isPanelOpen}
            icon={<PanelRight aria-hidden className="size-3.5" />}
            onClick={onTogglePanel}
          />
        </span>
      </div>
    </header>
  );
}
