import type { ReactNode } from 'react';
import { fullTime, momentText } from '#renderer/ui/format-time.ts';
import { sizeText } from '#renderer/ui/format-size.ts';
import { Notice } from '#renderer/ui/notice.tsx';
import { Fact, Facts } from '#renderer/ui/panel.tsx';
import { SkeletonText } from '#renderer/ui/skeleton.tsx';
import type { RetentionReport } from '#shared/retention/model.ts';
import { countText, keptText } from './retention-words.ts';

interface RetentionPreviewProps {
  /** undefined: it is not known yet. */
  readonly report: RetentionReport | undefined;
  readonly problem: string | undefined;
}

/** What would go if a policy were applied now: how many, how much, from when to when; and what stays all the same. */
export function RetentionPreview({ report, problem }: RetentionPreviewProps): ReactNode {
  if (problem !== undefined) return <Notice title="It is not known what would go." detail={problem} />;
  return (
    <section
      aria-label="What would go"
      aria-live="polite"
      aria-busy={report === undefined}
      className="rounded-2 border border-hair px-3 py-2.5"
    >
      <h3 className="mb-1 text-12 font-strong">If it were applied now</h3>
      {report === undefined ? (
        <SkeletonText lines={3} />
      ) : (
        <>
          {report.messages === 0 ? (
            <p className="text-12 text-tx-2">Nothing would go.</p>
          ) : (
            <Facts>
              <Fact name="Would go">
                {countText(report.messages, 'message')}, {sizeText(report.bytes)}
              </Fact>
              <Fact name="Sent">
                {report.oldestAt === null || report.newestAt === null ? (
                  '–'
                ) : (
                  <>
                    <time title={fullTime(report.oldestAt)}>{momentText(report.oldestAt)}</time> to{' '}
                    <time title={fullTime(report.newestAt)}>{momentText(report.newestAt)}</time>
                  </>
                )}
              </Fact>
              <Fact name="Sessions">
                {countText(report.sessions, 'session')}
                {report.wholeSessions === 0 ? '' : `, ${report.wholeSessions.toLocaleString('en-GB')} of them with nothing left`}
              </Fact>
            </Facts>
          )}
          <p className="mt-1 text-12 text-pretty text-tx-3">{keptText(report)}</p>
        </>
      )}
    </section>
  );
}
