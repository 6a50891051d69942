/** Parts of the agent form that belong to other features: pages put them in. */
import type { ComponentType } from 'react';
import type { AgentFields, FieldErrors } from './agent-form-state.ts';

/** What every such part gets: the form, and the way to change it. */
export interface FormPartProps {
  readonly fields: AgentFields;
  readonly errors: FieldErrors;
  readonly onChange: (changes: Partial<AgentFields>) => void;
}

/** The parts. */
export interface AgentFormParts {
  /** Where it runs: the runtime, the sandbox around it, the image. */
  readonly Place: ComponentType<FormPartProps>;
  /** What it reaches of the network, and how it comes to its models. */
  readonly Reach: ComponentType<FormPartProps>;
}
