import type { ReactNode } from 'react';
import { useAsked } from '#renderer/store/use-asked.ts';
import type { MessageId } from '#shared/kernel/ids.ts';
import { Fact } from './fact-list.tsx';
import { signatureWords } from './signature-words.ts';

/** Whether a message is what its sender sent: the core's verdict, asked for each time the message is looked at. */
export function SignatureFact({ messageId }: { readonly messageId: MessageId }): ReactNode {
  const { answer, problem } = useAsked(`signature ${messageId}`, (client) => client.provenance.verify({ id: messageId }));
  if (answer === undefined)
    return <Fact name="Signature">{problem === undefined ? 'being checked' : `not checked: ${problem}`}</Fact>;
  const { text, isFailed } = signatureWords(answer);
  return (
    <Fact name="Signature" isFailed={isFailed}>
      {text}
    </Fact>
  );
}
