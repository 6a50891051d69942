/** For tests: clients of older revisions of the protocol. */
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';

/** Makes the SDK's client offer an older revision than it knows. */
export function offering<T extends Transport>(transport: T, protocolVersion: string): T {
  const send = transport.send.bind(transport);
  transport.send = async (message, options) => {
    if ('method' in message && message.method === 'initialize')
      await send({ ...message, params: { ...message.params, protocolVersion } }, options);
    else await send(message, options);
  };
  return transport;
}
