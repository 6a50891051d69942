import { CircleAlert } from 'lucide-react';
import { useId } from 'react';
import type { ComponentProps, ReactNode } from 'react';

interface FieldProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  /** What to write, while nothing is wrong. */
  readonly hint?: ReactNode;
  /** What is wrong, and how to put it right. */
  readonly error?: string | undefined;
  /** Set in the code face, without spelling. */
  readonly isCode?: boolean;
  /** Leaves the label to screen readers. */
  readonly isLabelHidden?: boolean;
}

const BOX =
  'w-full min-w-0 rounded-2 border border-field bg-field-bg px-2 text-tx-1 placeholder:text-tx-3 disabled:border-hair-strong disabled:bg-bg-2 disabled:text-tx-3 aria-invalid:border-st-failed';

const CODE_PROPS = { spellCheck: false, autoCapitalize: 'off', autoCorrect: 'off', autoComplete: 'off' } as const;

type TextFieldProps = FieldProps & Omit<ComponentProps<'input'>, keyof FieldProps>;

/** One line of text with its label above. */
export function TextField(props: TextFieldProps): ReactNode {
  const { label, value, onChange, hint, error, isCode = false, isLabelHidden = false, className = '', ...input } = props;
  const id = useId();
  return (
    <Labelled id={input.id ?? id} {...{ label, hint, error, isLabelHidden, className }}>
      <input
        type="text"
        {...(isCode ? CODE_PROPS : {})}
        {...input}
        id={input.id ?? id}
        value={value}
        onChange={(event) => onChange(event.target.value)}
        aria-invalid={error === undefined ? undefined : true}
        aria-describedby={error === undefined && hint === undefined ? undefined : `${input.id ?? id}-help`}
        className={`${BOX} h-7 ${isCode ? 'font-code text-12' : 'text-13'}`}
      />
    </Labelled>
  );
}

type TextAreaProps = FieldProps & Omit<ComponentProps<'textarea'>, keyof FieldProps>;

/** Several lines of text with their label above. */
export function TextArea(props: TextAreaProps): ReactNode {
  const { label, value, onChange, hint, error, isCode = false, isLabelHidden = false, className = '', ...area } = props;
  const id = useId();
  return (
    <Labelled id={area.id ?? id} {...{ label, hint, error, isLabelHidden, className }}>
      <textarea
        rows={3}
        {...(isCode ? CODE_PROPS : {})}
        {...area}
        id={area.id ?? id}
        value={value}
        onChange={(event) => onChange(event.target.value)}
        aria-invalid={error === undefined ? undefined : true}
        aria-describedby={error === undefined && hint === undefined ? undefined : `${area.id ?? id}-help`}
        className={`${BOX} block resize-y py-1.5 leading-[18px] ${isCode ? 'font-code text-12' : 'text-13'}`}
      />
    </Labelled>
  );
}

interface LabelledProps extends Pick<FieldProps, 'label' | 'hint' | 'error' | 'isLabelHidden'> {
  readonly id: string;
  readonly className: string;
  readonly children: ReactNode;
}

function Labelled({ id, label, hint, error, isLabelHidden = false, className, children }: LabelledProps): ReactNode {
  return (
    <div className={`relative flex min-w-0 flex-col gap-1 ${className}`}>
      <label htmlFor={id} className={isLabelHidden ? 'sr-only' : 'text-12 font-medium text-tx-1'}>
        {label}
      </label>
      {children}
      {error === undefined ? (
        hint === undefined ? null : (
          <p id={`${id}-help`} className="text-12 text-pretty text-tx-3">
            {hint}
          </p>
        )
      ) : (
        <p id={`${id}-help`} role="alert" className="flex gap-1.5 text-12 text-pretty text-st-failed">
          <CircleAlert aria-hidden className="mt-0.5 size-3 flex-none" />
          {error}
        </p>
      )}
    </div>
  );
}
