import { describe, expect, it } from 'vitest';
import { completeRule, ruleProblem, ruleText } from './rule-words.ts';

describe('a rule as it is typed', () => {
  it.each([
    ['api.github.com', 'api.github.com:443:tls'],
    ['  Api.github.com:443 ', 'api.github.com:443:tls'],
    ['example.org:80', 'example.org:80:http'],
    ['db.example.org:5432', 'db.example.org:5432:tcp'],
    ['example.org:443:tcp', 'example.org:443:tcp'],
    ['https://example.org/a/b?c', 'example.org:443:tls'],
    ['http://example.org:8080', 'example.org:8080:http'],
    ['*.example.org', '*.example.org:443:tls'],
    ['', ''],
  ])('%s is meant as %s', (typed, rule) => expect(completeRule(typed)).toBe(rule));

  it.each(['a*.org:443:tls', '*:443:tls'])('%s has its star at the wrong place', (rule) =>
    expect(ruleProblem(rule)).toContain('A star stands only'),
  );
  it.each(['', 'example.org:0:tls', 'example org:443:tls'])('"%s" is none', (rule) =>
    expect(ruleProblem(rule)).toContain('host:port:protocol'),
  );
  it('is one', () => expect(ruleProblem('example.org:443:tls')).toBeUndefined());

  it('is said in words', () => {
    expect(ruleText('*.example.org:443:tls')).toBe('every name below, encrypted');
    expect(ruleText('example.org:5432:tcp')).toBe('any bytes');
  });
});
