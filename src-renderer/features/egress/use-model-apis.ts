import type { CoreClient } from '#renderer/connection/line.ts';
import type { Asked } from '#renderer/store/use-asked.ts';
import { useAsked } from '#renderer/store/use-asked.ts';

/** A model API, and whether its key is kept. */
export type ModelApiInfo = Awaited<ReturnType<CoreClient['egress']['modelApis']>>['modelApis'][number];

/** The model APIs there are; asked anew when one of them, or a key, was changed. */
export function useModelApis(): Asked<readonly ModelApiInfo[]> {
  return useAsked('model-apis', (client) => client.egress.modelApis({}).then(({ modelApis }) => modelApis), {
    isChangedBy: ({ kind }) => kind === 'egress.model-apis-changed' || kind === 'secret.set' || kind === 'secret.removed',
  });
}
