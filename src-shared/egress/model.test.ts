import { describe, expect, it } from 'vitest';
import { coversHost, DEFAULT_MODEL_APIS, ModelApi, parseRule } from './model.ts';

describe('a rule', () => {
  it.each([
    ['api.github.com:443:tls', { host: 'api.github.com', port: 443, protocol: 'tls' }],
    ['*.example.org:80:http', { host: '*.example.org', port: 80, protocol: 'http' }],
    ['10.0.0.1:5432:tcp', { host: '10.0.0.1', port: 5432, protocol: 'tcp' }],
  ])('is host, port and protocol: %s', (text, parts) => expect(parseRule(text)).toEqual(parts));

  it.each([
    '',
    'example.org',
    'example.org:443',
    'example.org:443:udp',
    'example.org:0:tls',
    'example.org:65536:tls',
    'example.org:443:tls:x',
    'Example.org:443:tls',
    '*:443:tls',
    '*.*.org:443:tls',
    'a*.org:443:tls',
    '-a.org:443:tls',
    'a..org:443:tls',
    'a.org.:443:tls',
    ' a.org:443:tls',
  ])('is not: "%s"', (text) => expect(parseRule(text)).toBeUndefined());
});

describe('the host of a rule', () => {
  it.each([
    ['example.org', 'example.org', true],
    ['example.org', 'a.example.org', false],
    ['*.example.org', 'a.example.org', true],
    ['*.example.org', 'a.b.example.org', true],
    ['*.example.org', 'example.org', false],
    ['*.example.org', '.example.org', false],
    ['*.example.org', 'badexample.org', false],
  ])('%s covers %s: %s', (pattern, name, covers) => expect(coversHost(pattern, name)).toBe(covers));
});

it('has model APIs from the start that are valid', () => {
  for (const api of DEFAULT_MODEL_APIS) expect(ModelApi.parse(api)).toEqual(api);
});
