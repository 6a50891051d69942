import { Shield, ShieldCheck, ShieldOff, ShieldX } from 'lucide-react';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { Link } from '#renderer/navigation/use-route.tsx';
import { useSession } from '#renderer/store/session-context.tsx';
import { useCommand } from '#renderer/store/use-command.ts';
import { Button } from '#renderer/ui/button.tsx';
import { shortDuration } from '#renderer/ui/format-time.ts';
import { Notice } from '#renderer/ui/notice.tsx';
import { Fact, Facts, PanelSection } from '#renderer/ui/panel.tsx';
import { Progress } from '#renderer/ui/progress.tsx';
import { RelativeTime } from '#renderer/ui/relative-time.tsx';
import { SkeletonText } from '#renderer/ui/skeleton.tsx';
import { useNow } from '#renderer/ui/use-now.ts';
import type { Agent } from '#shared/agents/model.ts';
import { isAlive, isExternal } from '#shared/agents/model.ts';
import type { AgentBoundary } from '#shared/boundary/contract.ts';
import type { BoundaryProof } from '#shared/boundary/model.ts';
import { ProofHistory } from './proof-history.tsx';
import { ProofTable } from './proof-table.tsx';
import type { Verdict } from './proof-words.ts';
import { countText, MECHANISM_WORDS, NOT_HELD, tookText, verdictOf } from './proof-words.ts';
import { useBoundary } from './use-boundary.ts';

/** What confines an agent, and the evidence for it. What does not hold is told first. */
export function BoundaryPage({ agent }: { readonly agent: Agent }): ReactNode {
  const { answer, problem, ask } = useBoundary(agent.id);
  const isRunning = isAlive(agent.state.status);
  if (answer === undefined)
    return problem === undefined ? (
      <div className="px-4 py-3">
        <SkeletonText lines={8} />
      </div>
    ) : (
      <Notice title="Its boundary is not known." detail={problem}>
        <Button size="small" onClick={ask}>
          Try again
        </Button>
      </Notice>
    );
  return (
    <>
      {problem === undefined ? null : <Notice title="What stands here may be old." detail={problem} />}
      <VerdictHead
        verdict={{
          ...verdictOf(answer, isRunning),
          ...(isExternal(agent) ? { title: 'Not contained, not controlled', text: agent.boundaryNote } : {}),
        }}
      />
      {isExternal(agent) ? null : answer.boundary === 'host' ? <NotHeld agent={agent} /> : <LaunchProof proof={answer.launch} />}
      {answer.boundary === 'container' ? <ExhaustionProof agent={agent} proof={answer.exhaustion} onProved={ask} /> : null}
      {answer.boundary === 'host' ? null : <Mounts boundary={answer} agent={agent} />}
      {isExternal(agent) ? null : <Limits boundary={answer} isRunning={isRunning} />}
      {answer.boundary === 'host' ? null : <ProofHistory agent={agent} />}
    </>
  );
}

const SHIELDS = {
  holds: <ShieldCheck aria-hidden className="mt-0.5 size-4 flex-none text-st-working" />,
  broken: <ShieldX aria-hidden className="mt-0.5 size-4 flex-none text-st-failed" />,
  open: <Shield aria-hidden className="mt-0.5 size-4 flex-none text-tx-3" />,
  none: <ShieldOff aria-hidden className="mt-0.5 size-4 flex-none text-st-failed" />,
} as const;

function VerdictHead({ verdict: { kind, title, text } }: { readonly verdict: Verdict }): ReactNode {
  return (
    <section
      aria-label="What it comes to"
      className={`flex gap-2.5 border-b px-4 py-3 ${kind === 'broken' ? 'border-failed-line bg-failed-bg' : 'border-hair'}`}
    >
      {SHIELDS[kind]}
      <div className="min-w-0">
        <h2 className="text-14 font-strong">{title}</h2>
        <p className="mt-0.5 text-12 leading-[18px] text-pretty [overflow-wrap:anywhere] text-tx-2">{text}</p>
      </div>
    </section>
  );
}

function NotHeld({ agent }: { readonly agent: Agent }): ReactNode {
  return (
    <PanelSection title="What is not held">
      <dl className="flex flex-col gap-2 text-12">
        {NOT_HELD.map(({ title, text }) => (
          <div key={title} className="grid grid-cols-[96px_minmax(0,1fr)] gap-x-3">
            <dt className="text-tx-3">{title}</dt>
            <dd className="leading-[18px] text-pretty text-tx-1">{text}</dd>
          </div>
        ))}
      </dl>
      <p className="mt-2.5 text-12">
        <Link to={{ page: 'agent', id: agent.id, tab: 'config' }} className="underline underline-offset-2">
          Put it into a container or bubblewrap
        </Link>
      </p>
    </PanelSection>
  );
}

function LaunchProof({ proof }: { readonly proof: BoundaryProof | null }): ReactNode {
  return (
    <PanelSection title="Tried before its start" aside={proof === null ? 'not yet' : <ProofAside proof={proof} />}>
      {proof === null ? (
        <p className="text-12 text-pretty text-tx-3">
          Writing outside, gaining rights, reaching the network, this machine and other agents: each is tried at every start.
        </p>
      ) : (
        <ProofTable checks={proof.checks} label="Checks before the start" />
      )}
    </PanelSection>
  );
}

function ProofAside({ proof }: { readonly proof: BoundaryProof }): ReactNode {
  return (
    <>
      {countText(proof)}, in {tookText(proof.tookMs)}, <RelativeTime at={proof.at} />
    </>
  );
}

interface ExhaustionProofProps {
  readonly agent: Agent;
  readonly proof: BoundaryProof | null;
  readonly onProved: () => void;
}

function ExhaustionProof({ agent, proof, onProved }: ExhaustionProofProps): ReactNode {
  const session = useSession();
  const command = useCommand();
  const [startedAt, setStartedAt] = useState(0);
  const prove = (): void => {
    setStartedAt(Date.now());
    command.run(() => session.client.boundary.prove({ id: agent.id }), onProved);
  };
  return (
    <PanelSection title="Tried to use up" aside={proof === null ? 'not yet' : <ProofAside proof={proof} />}>
      <div className="flex flex-col gap-2">
        <div className="flex items-center gap-3">
          <p className="min-w-0 flex-1 text-12 text-pretty text-tx-2">
            Memory, processes, CPU and disk, in a throw-away twin with the same image and limits. The agent itself is not touched.
          </p>
          <Button disabled={command.isRunning} onClick={prove}>
            {proof === null ? 'Prove now' : 'Prove again'}
          </Button>
        </div>
        {command.isRunning ? <ProvingProgress since={startedAt} /> : null}
        {command.problem === undefined ? null : (
          <p role="alert" className="text-12 text-pretty text-st-failed">
            {command.problem}
          </p>
        )}
        {proof === null ? null : <ProofTable checks={proof.checks} label="Checks in a twin" />}
      </div>
    </PanelSection>
  );
}

function ProvingProgress({ since }: { readonly since: number }): ReactNode {
  const now = useNow(1_000);
  return <Progress label="A twin is being tried" value={null} detail={`${shortDuration(now - since)} so far`} />;
}

function Mounts({ boundary, agent }: { readonly boundary: AgentBoundary; readonly agent: Agent }): ReactNode {
  const { mounts, user } = boundary;
  return (
    <PanelSection title="What it sees of this machine" aside={user === null ? undefined : `as ${user}`}>
      {mounts.length === 0 ? (
        <p className="text-12 text-pretty text-tx-3">
          {agent.starts === 0 ? 'Its workspace is made at its first start.' : 'The folders are not known now.'}
        </p>
      ) : (
        <ul aria-label="Mounts" className="rounded-2 border border-hair">
          {mounts.map(({ source, target, isWritable }) => (
            <li key={target} className="border-b border-hair px-2.5 py-1 text-12 last:border-b-0">
              <p className="flex items-baseline gap-2">
                <code className="font-code min-w-0 flex-1 [overflow-wrap:anywhere]">{target}</code>
                <span className={`flex-none ${isWritable ? 'text-tx-1' : 'text-tx-3'}`}>
                  {isWritable ? 'writable' : 'read-only'}
                </span>
              </p>
              <code className="font-code block truncate text-11 text-tx-3" title={source}>
                {source}
              </code>
            </li>
          ))}
        </ul>
      )}
      {mounts.length === 0 ? null : (
        <p className="mt-1.5 text-12 text-pretty text-tx-3">
          {boundary.boundary === 'container'
            ? 'Nothing else of this machine is there. The system around it is its image’s, and read-only.'
            : 'Besides, it sees the programs and libraries of this machine, read-only. No other file is there.'}
        </p>
      )}
    </PanelSection>
  );
}

interface LimitsProps {
  readonly boundary: AgentBoundary;
  readonly isRunning: boolean;
}

function Limits({ boundary: { limits }, isRunning }: LimitsProps): ReactNode {
  if (!isRunning)
    return (
      <PanelSection title="How its limits are held">
        <p className="text-12 text-tx-3">It does not run: there is nothing to hold.</p>
      </PanelSection>
    );
  return (
    <PanelSection title="How its limits are held">
      <Facts>
        <Fact name="Held">{MECHANISM_WORDS[limits.mechanism]}</Fact>
        <Fact name="That is">{sentence(limits.note)}</Fact>
      </Facts>
    </PanelSection>
  );
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;
}
