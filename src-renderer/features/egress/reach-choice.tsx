import type { ReactNode } from 'react';
import { RadioCards } from '#renderer/ui/radio-cards.tsx';
import { Segmented } from '#renderer/ui/segmented.tsx';
import type { EgressMode } from '#shared/egress/model.ts';
import { ModelApiChoice } from './model-api-choice.tsx';
import { RulesEditor } from './rules-editor.tsx';

/** How an agent comes to its models. */
export type Login = 'none' | 'api-key' | 'subscription';

/** What a configuration says about the network and models. */
export interface Reach {
  readonly login: Login;
  readonly modelApis: readonly string[];
  readonly mode: EgressMode;
  readonly rules: readonly string[];
}

interface ReachChoiceProps extends Reach {
  readonly isBoxed: boolean;
  readonly errors: {
    readonly login?: string | undefined;
    readonly modelApis?: string | undefined;
    readonly rules?: string | undefined;
  };
  readonly onChange: (changes: Partial<Reach>) => void;
}

/** What an agent reaches: its models, and addresses. Without a box there is nothing to choose, and that is said. */
export function ReachChoice({ isBoxed, login, modelApis, mode, rules, errors, onChange }: ReachChoiceProps): ReactNode {
  if (!isBoxed)
    return (
      <p className="text-12 text-pretty text-tx-2">
        Everything that you reach: on this machine nothing stands between it and the network, and nothing is watched. Choose a
        container or bubblewrap above to allow single addresses.
      </p>
    );
  return (
    <>
      <RadioCards<Login>
        label="Login"
        value={login}
        onChange={(next) => onChange({ login: next, ...(next === 'api-key' ? {} : { modelApis: [] }) })}
        options={[
          { value: 'none', title: 'No model', text: 'It works without one, as workers and plain commands do.' },
          {
            value: 'api-key',
            title: 'By an API key that it never sees',
            text: 'The key stays outside. The gateway adds it to requests on their way, so the agent cannot give it away.',
            below:
              login === 'api-key' ? (
                <ModelApiChoice
                  chosen={modelApis}
                  onChange={(names) => onChange({ modelApis: names })}
                  error={errors.modelApis}
                />
              ) : undefined,
          },
          {
            value: 'subscription',
            title: 'It logs in itself',
            text: 'As you do in its terminal. Its home then holds that login, and whatever runs in its box can read it. Allow its addresses below.',
          },
        ]}
      />
      {errors.login === undefined ? null : (
        <p role="alert" className="text-12 text-st-failed">
          {errors.login}
        </p>
      )}
      <div className="flex min-w-0 flex-col gap-1">
        <span className="text-12 font-medium">Addresses</span>
        <RulesEditor isInForm rules={rules} onChange={(next) => onChange({ rules: next })} error={errors.rules} />
      </div>
      <ModeChoice mode={mode} onChange={(next) => onChange({ mode: next })} />
    </>
  );
}

interface ModeChoiceProps {
  readonly mode: EgressMode;
  readonly onChange: (mode: EgressMode) => void;
  /** Stands under a heading that says the same, beside what is proposed. */
  readonly isLive?: boolean;
}

/** What becomes of what no rule allows. It is refused in any case. */
export function ModeChoice({ mode, onChange, isLive = false }: ModeChoiceProps): ReactNode {
  return (
    <div className="flex min-w-0 flex-col gap-1">
      {isLive ? null : <span className="text-12 font-medium">What no rule allows</span>}
      <Segmented<EgressMode>
        label="What no rule allows"
        value={mode}
        options={[
          { value: 'deny', text: 'Refuse' },
          { value: 'learn', text: 'Refuse and propose' },
        ]}
        onChange={onChange}
      />
      <p className="text-12 text-pretty text-tx-3">
        {mode === 'learn'
          ? isLive
            ? 'Each address that was refused is proposed below. Nothing gets through before you allow it.'
            : 'Each refused address is proposed on the agent’s network page, for you to allow.'
          : 'The agent is told so at once. Each attempt stands in the log.'}
      </p>
    </div>
  );
}
