import { Plus, X } from 'lucide-react';
import { useState } from 'react';
import type { FormEvent, KeyboardEvent, ReactNode } from 'react';
import { Button, IconButton } from '#renderer/ui/button.tsx';
import { TextField } from '#renderer/ui/text-field.tsx';
import { completeRule, ruleProblem, ruleText } from './rule-words.ts';

interface RulesEditorProps {
  readonly rules: readonly string[];
  readonly onChange: (rules: readonly string[]) => void;
  /** Part of a form: what was typed counts when the field is left, or it would be missing from what is sent. */
  readonly isInForm?: boolean;
  /** Nothing can be changed meanwhile. */
  readonly isBusy?: boolean;
  /** Why the rules as a whole were refused. */
  readonly error?: string | undefined;
}

/** The addresses that an agent may reach, one rule a line. What is typed is completed, and checked before it is added. */
export function RulesEditor({ rules, onChange, isInForm = false, isBusy = false, error }: RulesEditorProps): ReactNode {
  const [typed, setTyped] = useState('');
  const [problem, setProblem] = useState<string>();
  const rule = completeRule(typed);
  const add = (event?: FormEvent | KeyboardEvent): void => {
    event?.preventDefault();
    // Within the form of an agent Enter would make the agent.
    event?.stopPropagation();
    if (typed.trim() === '') return;
    const why = ruleProblem(rule) ?? (rules.includes(rule) ? 'This rule is there already.' : undefined);
    setProblem(why);
    if (why !== undefined) return;
    onChange([...rules, rule]);
    setTyped('');
  };
  return (
    <div className="flex min-w-0 flex-col gap-2">
      {rules.length === 0 ? (
        <p className="text-12 text-pretty text-tx-3">
          It reaches nothing: there is no network in its box. Each address that you add is let through, and nothing else.
        </p>
      ) : (
        <ul aria-label="Allowed addresses" className="rounded-2 border border-hair">
          {rules.map((one) => {
            const why = ruleProblem(one);
            return (
              <li key={one} className="flex min-h-8 items-center gap-2 border-b border-hair py-0.5 pr-1 pl-2.5 last:border-b-0">
                <span className="flex min-w-0 flex-1 flex-wrap items-baseline gap-x-2">
                  <code className="font-code min-w-0 text-12 break-all">{one}</code>
                  <span className={`text-12 ${why === undefined ? 'text-tx-3' : 'text-st-failed'}`}>{why ?? ruleText(one)}</span>
                </span>
                <IconButton
                  size="small"
                  label={`Remove ${one}`}
                  icon={<X aria-hidden className="size-3.5" />}
                  disabled={isBusy}
                  onClick={() => onChange(rules.filter((each) => each !== one))}
                />
              </li>
            );
          })}
        </ul>
      )}
      <div className="flex items-start gap-2">
        <TextField
          label="Allow an address"
          isLabelHidden
          isCode
          value={typed}
          onChange={(next) => {
            setTyped(next);
            setProblem(undefined);
          }}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && !event.nativeEvent.isComposing && !event.ctrlKey && !event.metaKey) add(event);
          }}
          onBlur={() => {
            if (isInForm) add();
          }}
          placeholder="api.github.com"
          error={problem ?? error}
          hint={
            typed.trim() === '' || rule === typed.trim() ? (
              'A host, a URL, or host:port:protocol; *.example.org is every name below.'
            ) : (
              <>
                Adds <code className="font-code break-all">{rule}</code>
              </>
            )
          }
          className="flex-1"
        />
        <Button icon={<Plus aria-hidden className="size-3.5" />} disabled={isBusy || typed.trim() === ''} onClick={() => add()}>
          Allow
        </Button>
      </div>
    </div>
  );
}
