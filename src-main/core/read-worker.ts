/** Entry of the reader's thread. */
import { reads } from '#core/reads.ts';
import { serveReads } from '#core/store/read-thread.ts';

serveReads(reads);
