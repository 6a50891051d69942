/** Handlers of the procedures about runtimes and images. */
import type { runtimesContract } from '#shared/runtimes/contract.ts';
import type { RuntimeAvailability } from '#shared/runtimes/model.ts';
import type { SystemCheck } from '#shared/system/model.ts';
import type { HandlersOf } from '#core/procedures.ts';
import type { ImagesService } from './images-service.ts';

/** What the handlers need. */
export interface RuntimesHandlersOptions {
  readonly runtimes: readonly { probe(): Promise<RuntimeAvailability> }[];
  readonly images: ImagesService;
  /** Really runs bubblewrap. */
  readonly checkBubblewrap: () => Promise<SystemCheck>;
}

/** Handlers of the procedures about runtimes and images. */
export function runtimesHandlers(o: RuntimesHandlersOptions): HandlersOf<typeof runtimesContract> {
  return {
    list: async () => {
      const [bubblewrap, ...runtimes] = await Promise.all([o.checkBubblewrap(), ...o.runtimes.map((runtime) => runtime.probe())]);
      const isAvailable = bubblewrap.state === 'ok';
      return {
        runtimes,
        bubblewrap: { isAvailable, version: bubblewrap.version, problem: isAvailable ? null : bubblewrap.detail },
      };
    },
    images: () => o.images.list(),
    makeImage: ({ reference, way }, { caller }) => o.images.make({ reference, way }, caller),
  };
}
