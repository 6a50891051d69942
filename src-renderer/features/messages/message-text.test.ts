import { createElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { expect, it } from 'vitest';
import { MessageText } from './message-text.tsx';

it('shows no part of a text in another order than it is written', () => {
  const turned = 'gpj.\u202eexe';
  const text = `${turned} \`${turned}\` https://example.org/${turned} \`\`\`${turned}\`\`\``;
  const html = renderToStaticMarkup(createElement(MessageText, { text, isName: () => false }));
  expect(html.match(/gpj\.\[U\+202E\]exe/g)).toHaveLength(4);
  // What it leads to is another matter than what is read.
  expect(html.replace(/href="[^"]*"/, '')).not.toContain('\u202e');
});
