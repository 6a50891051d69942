import { useState } from 'react';
import type { ReactNode } from 'react';
import { useSession } from '#renderer/store/session-context.tsx';
import { useCommand } from '#renderer/store/use-command.ts';
import { Button } from '#renderer/ui/button.tsx';
import { Notice } from '#renderer/ui/notice.tsx';
import { SettingsGroup } from '#renderer/ui/settings-group.tsx';
import { SkeletonText } from '#renderer/ui/skeleton.tsx';
import { TextField } from '#renderer/ui/text-field.tsx';
import { showToast } from '#renderer/ui/toast.tsx';
import type { ModelApi } from '#shared/egress/model.ts';
import { ModelApi as ModelApiSchema } from '#shared/egress/model.ts';
import { KeyField } from './key-field.tsx';
import type { ModelApiInfo } from './use-model-apis.ts';
import { useModelApis } from './use-model-apis.ts';

/** The model APIs that contained agents can be given. */
export function ModelApiSettings(): ReactNode {
  const session = useSession();
  const { answer, problem, ask } = useModelApis();
  const command = useCommand();
  const [editing, setEditing] = useState<string>();
  if (answer === undefined)
    return problem === undefined ? <SkeletonText lines={6} /> : <Notice title="The model APIs are not known." detail={problem} />;
  const save = (next: readonly ModelApi[], onSaved?: () => void): void =>
    command.run(
      () => session.client.egress.setModelApis({ modelApis: [...next] }),
      () => {
        setEditing(undefined);
        ask();
        onSaved?.();
      },
    );
  const plain = answer.map(withoutKey);
  const remove = (gone: string): void =>
    save(
      plain.filter(({ name }) => name !== gone),
      () =>
        showToast({
          title: `${gone} is no model API any more.`,
          detail: 'Its key is kept.',
          actions: [{ text: 'Undo', onClick: () => save(plain) }],
        }),
    );
  return (
    <SettingsGroup
      title="What contained agents can be given"
      note="A contained agent asks a model at an address inside its box, without a key. The gateway adds the key outside, and only for agents that were given this API. Keys are kept encrypted; they are never shown again, and none is ever in a box."
    >
      {command.problem === undefined ? null : <Notice title="That was not done." detail={command.problem} />}
      <ul aria-label="Model APIs" className="rounded-2 border border-hair">
        {answer.map((api) => (
          <li key={api.name} className="flex flex-col gap-2 border-b border-hair px-3 py-2 last:border-b-0">
            {editing === api.name ? (
              <ApiForm
                api={withoutKey(api)}
                taken={plain.filter(({ name }) => name !== api.name).map(({ name }) => name)}
                isBusy={command.isRunning}
                onCancel={() => setEditing(undefined)}
                onSave={(next) => save(plain.map((one) => (one.name === api.name ? next : one)))}
              />
            ) : (
              <ApiRow
                api={api}
                isBusy={command.isRunning}
                onStored={ask}
                onEdit={() => setEditing(api.name)}
                onRemove={() => remove(api.name)}
              />
            )}
          </li>
        ))}
        {answer.length === 0 ? (
          <li className="px-3 py-2 text-12 text-tx-3">There are none: agents can be given no model.</li>
        ) : null}
      </ul>
      {editing === '' ? (
        <div className="rounded-2 border border-hair px-3 py-2">
          <ApiForm
            api={BLANK}
            taken={plain.map(({ name }) => name)}
            isBusy={command.isRunning}
            onCancel={() => setEditing(undefined)}
            onSave={(next) => save([...plain, next])}
          />
        </div>
      ) : (
        <Button className="self-start" onClick={() => setEditing('')}>
          Add a model API
        </Button>
      )}
    </SettingsGroup>
  );
}

function withoutKey({ hasKey: _hasKey, ...api }: ModelApiInfo): ModelApi {
  return api;
}

const BLANK: ModelApi = { name: '', upstream: '', header: 'authorization', secret: '', variable: '' };

interface ApiRowProps {
  readonly api: ModelApiInfo;
  readonly isBusy: boolean;
  readonly onStored: () => void;
  readonly onEdit: () => void;
  readonly onRemove: () => void;
}

function ApiRow({ api, isBusy, onStored, onEdit, onRemove }: ApiRowProps): ReactNode {
  return (
    <>
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <strong className="text-13 font-medium">{api.name}</strong>
        <code className="font-code min-w-0 flex-1 basis-48 text-12 break-all text-tx-2">{api.upstream}</code>
        <span className="flex gap-1">
          <Button size="small" look="quiet" disabled={isBusy} aria-label={`Change ${api.name}`} onClick={onEdit}>
            Change
          </Button>
          <Button size="small" look="danger" disabled={isBusy} aria-label={`Remove ${api.name}`} onClick={onRemove}>
            Remove
          </Button>
        </span>
      </div>
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1 text-12">
        <KeyField api={api} onStored={onStored} />
        <span className="min-w-0 text-tx-3">
          sent as <code className="font-code">{api.header}</code>; agents find it by{' '}
          <code className="font-code">{api.variable}</code>
        </span>
      </div>
    </>
  );
}

type ApiField = 'name' | 'upstream' | 'header' | 'secret' | 'variable' | 'placeholder';

const FIELDS: readonly { readonly name: ApiField; readonly label: string; readonly hint: string; readonly example: string }[] = [
  { name: 'name', label: 'Name', hint: 'As agents’ configurations name it', example: 'anthropic' },
  { name: 'upstream', label: 'Address', hint: 'Where it is, outside', example: 'https://api.anthropic.com' },
  { name: 'secret', label: 'Secret', hint: 'The name under which its key is kept', example: 'ANTHROPIC_API_KEY' },
  { name: 'header', label: 'Header', hint: 'Carries the key; authorization gets “Bearer ” before it', example: 'x-api-key' },
  { name: 'variable', label: 'Variable', hint: 'Tells agents where the API is inside', example: 'ANTHROPIC_BASE_URL' },
  {
    name: 'placeholder',
    label: 'Placeholder',
    hint: 'Variable that a CLI insists on; it gets no real key. May be empty',
    example: 'ANTHROPIC_API_KEY',
  },
];

interface ApiFormProps {
  readonly api: ModelApi;
  /** Names of the others. */
  readonly taken: readonly string[];
  readonly isBusy: boolean;
  readonly onCancel: () => void;
  readonly onSave: (api: ModelApi) => void;
}

function ApiForm({ api, taken, isBusy, onCancel, onSave }: ApiFormProps): ReactNode {
  const [typed, setTyped] = useState<Readonly<Record<ApiField, string>>>({ ...api, placeholder: api.placeholder ?? '' });
  const [hasTried, setTried] = useState(false);
  const { placeholder, ...rest } = typed;
  const parsed = ModelApiSchema.safeParse({
    ...Object.fromEntries(Object.entries(rest).map(([name, text]) => [name, text.trim()])),
    ...(placeholder.trim() === '' ? {} : { placeholder: placeholder.trim() }),
  });
  const problemAt = (field: ApiField): string | undefined => {
    if (!hasTried) return undefined;
    if (field === 'name' && taken.includes(typed.name.trim())) return 'There is one of this name already.';
    const issue = parsed.error?.issues.find(({ path }) => path[0] === field);
    return issue && `${issue.message.charAt(0).toUpperCase()}${issue.message.slice(1)}.`;
  };
  return (
    <form
      aria-label={api.name === '' ? 'A new model API' : `Change ${api.name}`}
      className="flex flex-col gap-3 py-1"
      onSubmit={(event) => {
        event.preventDefault();
        setTried(true);
        if (parsed.success && !taken.includes(parsed.data.name)) onSave(parsed.data);
      }}
    >
      <div className="grid grid-cols-2 gap-3 max-[560px]:grid-cols-1">
        {FIELDS.map(({ name, label, hint, example }) => (
          <TextField
            key={name}
            label={label}
            isCode
            value={typed[name]}
            onChange={(text) => setTyped((known) => ({ ...known, [name]: text }))}
            placeholder={example}
            hint={hint}
            error={problemAt(name)}
          />
        ))}
      </div>
      <div className="flex justify-end gap-2">
        <Button look="quiet" onClick={onCancel}>
          Cancel
        </Button>
        <Button type="submit" look="ink" disabled={isBusy}>
          Save
        </Button>
      </div>
    </form>
  );
}
