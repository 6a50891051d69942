/** The fixture server over stdio, to be started by Claude Code itself. */

import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { createFixtureCrew, createFixtureServer } from './fixture-mcp.ts';

const crew = createFixtureCrew();
serveStdio(() => createFixtureServer(crew));
