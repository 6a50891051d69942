/**
 * The page that is shown when the window cannot be kept alive. It has no script: its two buttons are links that the main
 * process takes for orders (window.ts), so that it also works when scripts are what fails.
 */

/** The origin of the shell's own page: never the one that is given ports. */
export const SHELL_ORIGIN = 'app://shell';
/** The page itself. */
export const TROUBLE_URL = `${SHELL_ORIGIN}/trouble`;
/** Links of the page. */
export const TROUBLE_ORDERS = { retry: `${SHELL_ORIGIN}/retry`, copy: `${SHELL_ORIGIN}/copy` } as const;

/** Nothing but the styles in the page itself. */
export const TROUBLE_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** What the page says. */
export interface TroubleFacts {
  readonly diagnostics: string;
  /** Whether the diagnostics have just been copied. */
  readonly isCopied: boolean;
}

/** The page as HTML. */
export function troublePage({ diagnostics, isCopied }: TroubleFacts): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Quarterdeck: the window stopped</title>
<style>
  :root { color-scheme: light dark; font: 13px/20px system-ui, sans-serif; }
  body { margin: 0; min-height: 100vh; display: grid; place-content: center; background: light-dark(#f7f8f9, #0d1013); color: light-dark(#1b1f24, #e7e9ec); }
  main { width: min(640px, 90vw); display: grid; gap: 16px; }
  h1 { margin: 0; font-size: 16px; line-height: 24px; }
  p { margin: 0; color: light-dark(#4a525c, #b4bcc6); }
  nav { display: flex; gap: 8px; }
  a { padding: 4px 12px; border-radius: 5px; border: 1px solid light-dark(#c3c9d0, #39424c); color: inherit; text-decoration: none; }
  a.ink { background: light-dark(#1b1f24, #e7e9ec); color: light-dark(#fff, #0d1013); border-color: transparent; }
  a:focus-visible { outline: 2px solid light-dark(#1d5f9e, #9cc4ea); outline-offset: 2px; }
  pre { margin: 0; padding: 12px; overflow: auto; max-height: 40vh; border: 1px solid light-dark(#dfe3e7, #262d35); border-radius: 7px; font: 12px/18px ui-monospace, monospace; }
</style>
</head>
<body>
<main>
<h1>The window stopped and could not be brought back</h1>
<p>Your agents are not affected: they go on, and their messages are kept. The window ended several times in a row; trying again may help, and so may restarting Quarterdeck.</p>
<nav aria-label="What to do"><a class="ink" href="${hrefOf(TROUBLE_ORDERS.retry)}">Try again</a><a href="${hrefOf(TROUBLE_ORDERS.copy)}">Copy diagnostics</a></nav>
<p role="status">${isCopied ? 'The diagnostics were copied.' : ''}</p>
<pre tabindex="0" aria-label="Diagnostics">${escaped(diagnostics)}</pre>
</main>
</body>
</html>
`;
}

/** The link within the page's own origin. */
function hrefOf(order: string): string {
  return order.slice(SHELL_ORIGIN.length);
}

function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
}
