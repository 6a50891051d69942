/** The operator's token: one file in the data folder, made at the first start. Deleting it and starting again makes another. */
import { AppError } from '#shared/kernel/errors.ts';
import { loadPrivateFile } from '#core/private-file.ts';
import { isTokenShaped, newTokenSecret } from './token-format.ts';

/** Reads the operator's token, or makes it. A malformed file is UNAVAILABLE with what to do; a mode that is too open is mended and told. */
export function loadOperatorToken(file: string, warn?: (message: string) => void): string {
  const bytes = loadPrivateFile(file, {
    what: "the operator's token",
    create: () => Buffer.from(`${newTokenSecret('operator')}\n`),
    ...(warn ? { warn } : {}),
  });
  const token = bytes.toString('latin1').trim();
  if (!isTokenShaped(token)) {
    throw new AppError(
      'UNAVAILABLE',
      `The operator's token (${file}) is malformed. Delete the file and start again: a new token is made, and programs that use the old one need it.`,
      {
        retryable: false,
        data: { file },
      },
    );
  }
  return token;
}
