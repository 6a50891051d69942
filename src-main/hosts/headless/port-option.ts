/** Port numbers as people state them. */
import { AppError } from '#shared/kernel/errors.ts';

/** The stated port, else the environment's, else undefined. 0 means any. BAD_REQUEST when it is no port. */
export function portOption(name: string, stated: string | undefined, fromEnvironment: string | undefined): number | undefined {
  const text = stated ?? (fromEnvironment === '' ? undefined : fromEnvironment);
  if (text === undefined) return undefined;
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535)
    throw new AppError('BAD_REQUEST', `${name} must be a port from 0 (any) to 65535; "${text}" is not.`, {
      data: { field: name },
    });
  return port;
}
