import { ORPCError } from '@orpc/client';
import { useState } from 'react';
import * as z from 'zod';
import type { Command } from '#renderer/store/use-command.ts';
import { useCommand } from '#renderer/store/use-command.ts';
import type { AgentDraft } from '#shared/agents/model.ts';
import type { AgentFields, FieldErrors } from './agent-form-state.ts';
import { fieldAt, readFields } from './agent-form-state.ts';

/** The form: what stands in it, what is wrong, and what becomes of it. */
export interface AgentFormHandle {
  readonly fields: AgentFields;
  /** What is wrong, shown from the first try on. */
  readonly errors: FieldErrors;
  readonly command: Command;
  readonly change: (changes: Partial<AgentFields>) => void;
  readonly reset: (fields: AgentFields) => void;
  /** Checks everything, then sends it. What the core refuses stands at its field. */
  readonly submit: (send: (draft: AgentDraft) => Promise<unknown>) => void;
}

const WithFields = z.object({ fields: z.array(z.string()).optional(), field: z.string().optional() });

/** The state of an agent form that begins with these fields. */
export function useAgentForm(initial: AgentFields): AgentFormHandle {
  const [fields, setFields] = useState(initial);
  const [hasTried, setTried] = useState(false);
  const [refused, setRefused] = useState<FieldErrors>({});
  const command = useCommand();
  const own = hasTried ? readFields(fields).errors : undefined;
  return {
    fields,
    errors: { ...refused, ...own },
    command,
    change: (changes) => {
      setFields((known) => ({ ...known, ...changes }));
      // What was refused may be right now; the core says so when it is asked again.
      setRefused({});
    },
    reset: (next) => {
      setFields(next);
      setTried(false);
      setRefused({});
    },
    submit: (send) => {
      setTried(true);
      const result = readFields(fields);
      if (result.errors !== undefined) return;
      command.run(() =>
        send(result.draft).catch((error: unknown) => {
          setRefused(refusedFields(error));
          throw error;
        }),
      );
    },
  };
}

/** The fields that a refusal of the core names, with what it says. */
function refusedFields(error: unknown): FieldErrors {
  if (!(error instanceof ORPCError)) return {};
  const data = WithFields.safeParse(error.data).data;
  const names = data?.fields ?? (data?.field === undefined ? [] : [data.field]);
  return Object.fromEntries(
    names.flatMap((name) => {
      const field = fieldAt(name);
      return field === undefined ? [] : [[field, error.message]];
    }),
  );
}
