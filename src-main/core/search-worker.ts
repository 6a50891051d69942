/** Entry of the search thread. */
import { serveSearch } from '#core/search/search-thread.ts';

serveSearch();
