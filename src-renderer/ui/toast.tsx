import { CircleX, Info, TriangleAlert, X } from 'lucide-react';
import type { ReactNode } from 'react';
import { Toaster as Sonner, toast } from 'sonner';
import { Button, IconButton } from './button.tsx';
import { visibleText } from './visible-text.ts';

/** How long a toast stands, in milliseconds. One with actions stands longer; both wait while the pointer is on them. */
const STANDS_MS = 6_000;
const STANDS_WITH_ACTIONS_MS = 12_000;

interface ToastAction {
  readonly text: string;
  readonly onClick: () => void;
}

/** What a toast says. */
export interface ToastContent {
  readonly title: string;
  readonly detail?: string | undefined;
  /** needs: the operator's answer is given here. */
  readonly tone?: 'info' | 'failed' | 'needs';
  /** The first is the one that is likely wanted. */
  readonly actions?: readonly ToastAction[];
  /** A toast with the id of a shown one takes its place: one per cause. */
  readonly id?: string;
}

/** Goes to the toasts. The library's own Alt T is the way to the terminal here. */
const TOASTS_KEY = ['altKey', 'KeyN'];

/** Stands once in the window; toasts come at its lower right, and are announced politely. */
export function Toaster(): ReactNode {
  return (
    <Sonner
      position="bottom-right"
      expand
      visibleToasts={3}
      gap={8}
      // Above what is pressed at the lower edge; see toast-clearance.ts.
      offset={{ bottom: 'calc(16px + var(--toast-lift, 0px))', right: 16 }}
      mobileOffset={{ bottom: 'calc(16px + var(--toast-lift, 0px))' }}
      containerAriaLabel="Notifications"
      hotkey={TOASTS_KEY}
    />
  );
}

/** Says something that happened. Answers with a function that takes it away. */
export function showToast({ title, detail, tone = 'info', actions = [], id }: ToastContent): () => void {
  const shown = toast.custom(
    (toastId) => <ToastCard {...{ title, detail, tone, actions }} onDismiss={() => toast.dismiss(toastId)} />,
    {
      duration: actions.length > 0 ? STANDS_WITH_ACTIONS_MS : STANDS_MS,
      ...(id === undefined ? {} : { id }),
      unstyled: true,
    },
  );
  return () => void toast.dismiss(shown);
}

const TONES = {
  info: { frame: 'border-hair-strong bg-bg-1', mark: <Info aria-hidden className="mt-0.5 size-3.5 flex-none text-tx-2" /> },
  failed: {
    frame: 'border-failed-line bg-failed-bg',
    mark: <CircleX aria-hidden className="mt-0.5 size-3.5 flex-none text-st-failed" />,
  },
  needs: {
    frame: 'border-needs-line bg-needs-bg',
    mark: <TriangleAlert aria-hidden className="mt-0.5 size-3.5 flex-none text-needs-mark" />,
  },
} as const;

interface ToastCardProps {
  readonly title: string;
  readonly detail: string | undefined;
  readonly tone: keyof typeof TONES;
  readonly actions: readonly ToastAction[];
  readonly onDismiss: () => void;
}

function ToastCard({ title, detail, tone, actions, onDismiss }: ToastCardProps): ReactNode {
  return (
    <div
      className={`flex w-89 max-w-[calc(100vw-32px)] items-start gap-2.5 rounded-3 border py-2 pr-2 pl-3 font-ui text-tx-1 ${TONES[tone].frame}`}
    >
      <span className="flex h-6 items-center">{TONES[tone].mark}</span>
      <div className="min-w-0 flex-1 py-0.5">
        <p className="text-13 font-medium break-words">{visibleText(title)}</p>
        {detail === undefined ? null : <p className="text-12 text-pretty break-words text-tx-2">{visibleText(detail)}</p>}
        {actions.length === 0 ? null : (
          <div className="mt-2 mb-0.5 flex flex-wrap gap-1.5">
            {actions.map((action, index) => (
              <Button
                key={action.text}
                size="small"
                look={index === 0 && tone === 'needs' ? 'ink' : 'outline'}
                onClick={() => {
                  action.onClick();
                  onDismiss();
                }}
              >
                {action.text}
              </Button>
            ))}
          </div>
        )}
      </div>
      <IconButton label="Dismiss" size="small" icon={<X aria-hidden className="size-3.5" />} onClick={onDismiss} />
    </div>
  );
}
