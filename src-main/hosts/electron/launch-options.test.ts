import { describe, expect, it } from 'vitest';
import { launchOptions } from './launch-options.ts';

describe('launchOptions', () => {
  it('reads what the launcher passes on, between switches of Chromium', () => {
    const args = [
      '/checkout',
      '--no-sandbox',
      '--data-dir',
      '/data',
      '--port',
      '0',
      '--inspect=0',
      '--allow-host',
      'a',
      '--allow-host',
      'b',
      '--json',
      'quarterdeck://agent/ada',
    ];
    expect(launchOptions(args, {})).toEqual({
      dataDir: '/data',
      port: 0,
      agentPort: undefined,
      bind: '127.0.0.1',
      allowHosts: ['a', 'b'],
      shouldStopAgents: false,
      json: true,
      link: 'quarterdeck://agent/ada',
    });
  });

  it('takes ports and the data folder from the environment, and refuses what is no port', () => {
    const env = { HTTP_PORT: '4000', AGENT_MCP_PORT: '4100', QUARTERDECK_HOME: '/home/data' };
    expect(launchOptions([], env)).toMatchObject({ dataDir: '/home/data', port: 4000, agentPort: 4100 });
    expect(() => launchOptions(['--port', 'x'], env)).toThrow(/--port must be a port/);
  });
});
