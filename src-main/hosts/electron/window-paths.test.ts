import { describe, expect, it } from 'vitest';
import { agentOfTerminalWindow, isWindowPath, linkIn, pathOfLink } from './window-paths.ts';

describe('deep links', () => {
  it.each([
    ['quarterdeck://agent/ada', '/agent/ada'],
    ['quarterdeck://agent/ada/activity', '/agent/ada/activity'],
    ['quarterdeck:///agent/ada/', '/agent/ada'],
    ['quarterdeck://message/msg_0190-a', '/message/msg_0190-a'],
    ['quarterdeck://settings/notifications', '/settings/notifications'],
    ['quarterdeck://new', '/new'],
    ['quarterdeck://', '/'],
    ['quarterdeck:/agents', '/agents'],
  ])('%s names %s', (link, path) => expect(pathOfLink(link)).toBe(path));

  it.each([
    'https://agent/ada',
    'quarterdeck://agent',
    'quarterdeck://agent/../../etc',
    'quarterdeck://agent/%2e%2e%2fetc',
    'quarterdeck://agent/ada?start=1',
    'quarterdeck://agent/ada#x',
    'quarterdeck://me@agent/ada',
    'quarterdeck://agent:80/ada',
    'quarterdeck://agent/ada/Stop%20all',
    'quarterdeck://AGENT/ada',
    `quarterdeck://agent/${'a'.repeat(400)}`,
    'quarterdeck://evil.example/agent/ada',
    'quarterdeck:javascript',
    'nonsense',
  ])('%s names nothing', (link) => expect(pathOfLink(link)).toBeUndefined());

  it('are found among the switches of a command line', () => {
    expect(linkIn(['/opt/quarterdeck', '--no-sandbox', 'quarterdeck://agent/ada'])).toBe('quarterdeck://agent/ada');
    expect(linkIn(['/opt/quarterdeck', '--data-dir', '/x'])).toBeUndefined();
  });
});

describe('terminals in windows of their own', () => {
  it('are named by one address each', () => expect(agentOfTerminalWindow('/agent/ada?solo=1')).toBe('ada'));

  it.each([
    '/agent/ada',
    '/agent/ada?solo=2',
    '/agent/ada?solo=1&x=1',
    '/agent/ada?solo=1#x',
    '/agent/ada/overview?solo=1',
    '/agent/../setup?solo=1',
    '/agent/%61da?solo=1',
    '/messages?solo=1',
    '//evil.example/agent/ada?solo=1',
  ])('are not named by %s', (address) => expect(agentOfTerminalWindow(address)).toBeUndefined());
});

describe('paths', () => {
  it('are the places of the window and nothing else', () => {
    expect(
      ['/', '/agents', '/agent/ada', '/agent/ada/config', '/new/batch-worker', '/settings'].filter(isWindowPath),
    ).toHaveLength(6);
    expect(
      ['', '/index.html', '/assets', '/assets/x.js', '/agent/', '/agent/a/b/c', '/..', '/agent/a\nb'].filter(isWindowPath),
    ).toEqual([]);
  });
});
