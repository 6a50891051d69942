import type { ReactNode } from 'react';
import { EmptyState } from '#renderer/ui/empty-state.tsx';

/** The way to one more agent. */
export function NewAgentPage({ template }: { readonly template?: string }): ReactNode {
  return <EmptyState title={template ?? 'New agent'} />;
}
