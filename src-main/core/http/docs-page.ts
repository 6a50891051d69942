/** The page at /api/docs: shows the OpenAPI document, offline and without inline script, so that the policy of every page holds. */

const HTML = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Quarterdeck API</title>
<link rel="stylesheet" href="/api/docs/docs.css">
<script src="/api/docs/docs.js" defer></script>
</head>
<body>
<header><h1>Quarterdeck API</h1><p id="about"></p><label>Filter <input id="filter" type="search" autocomplete="off"></label></header>
<main id="operations" aria-live="polite"><p>Loading…</p></main>
</body>
</html>
`;

const CSS = `:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 0 auto; padding: 1rem 1.5rem 4rem; }
h2 { margin: 2rem 0 .5rem; text-transform: capitalize; }
details { border: 1px solid color-mix(in srgb, currentColor 20%, transparent); border-radius: 6px; margin: .5rem 0; padding: .5rem .75rem; }
summary { cursor: pointer; }
code, pre { font: 13px/1.45 ui-monospace, monospace; }
pre { overflow: auto; max-height: 24rem; padding: .5rem; background: color-mix(in srgb, currentColor 6%, transparent); border-radius: 4px; }
.method { display: inline-block; min-width: 4.5rem; font-weight: 600; }
input { font: inherit; padding: .25rem .5rem; min-width: 16rem; }
`;

const SCRIPT = `'use strict';
const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className !== undefined) made.className = className;
  return made;
}

function schemaBlock(title, value) {
  const part = document.createDocumentFragment();
  part.append(element('h4', title), element('pre', JSON.stringify(value, null, 2)));
  return part;
}

function operationBlock(method, path, operation, base) {
  const block = element('details');
  const summary = element('summary');
  summary.append(element('span', method.toUpperCase(), 'method'), element('code', base + path), element('span', ' – ' + (operation.summary || '')));
  block.append(summary, element('p', operation.description || ''));
  if (operation.parameters) block.append(schemaBlock('Parameters', operation.parameters));
  const body = operation.requestBody && operation.requestBody.content;
  if (body) block.append(schemaBlock('Body', Object.values(body)[0].schema));
  for (const [status, response] of Object.entries(operation.responses || {})) {
    const content = response.content && Object.values(response.content)[0];
    block.append(schemaBlock('Answer ' + status, content ? content.schema : response));
  }
  block.dataset.text = (method + ' ' + path + ' ' + operation.summary + ' ' + operation.description).toLowerCase();
  return block;
}

async function show() {
  const main = document.getElementById('operations');
  const api = await (await fetch('/api/openapi.json')).json();
  const base = api.servers[0].url;
  document.getElementById('about').textContent = 'Version ' + api.info.version + '. ' + api.info.description;
  const groups = new Map();
  for (const [path, item] of Object.entries(api.paths)) {
    for (const method of METHODS) {
      if (!item[method]) continue;
      const tag = (item[method].tags || ['other'])[0].split(':')[0];
      if (!groups.has(tag)) groups.set(tag, []);
      groups.get(tag).push(operationBlock(method, path, item[method], base));
    }
  }
  main.replaceChildren();
  for (const [tag, blocks] of groups) main.append(element('h2', tag), ...blocks);
  document.getElementById('filter').addEventListener('input', (event) => {
    const wanted = event.target.value.toLowerCase();
    for (const block of main.querySelectorAll('details')) block.hidden = !block.dataset.text.includes(wanted);
  });
}

show().catch((error) => {
  document.getElementById('operations').textContent = 'The document could not be loaded: ' + error.message;
});
`;

/** The page's files, by path. */
export const DOCS_FILES: ReadonlyMap<string, { readonly type: string; readonly text: string }> = new Map([
  ['/api/docs', { type: 'text/html; charset=utf-8', text: HTML }],
  ['/api/docs/docs.css', { type: 'text/css; charset=utf-8', text: CSS }],
  ['/api/docs/docs.js', { type: 'text/javascript; charset=utf-8', text: SCRIPT }],
]);
