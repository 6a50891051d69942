/** A command line as people type it, taken apart into a program and its arguments. Pure; see shell-text.ts for the way back. */

/** The parts, or why there are none. Quotes and backslashes mean what they mean in a shell; nothing else does. */
export function splitCommand(text: string): { readonly argv: readonly string[] } | { readonly problem: string } {
  const argv: string[] = [];
  let word = '';
  let isWord = false;
  let quote: '"' | "'" | undefined;
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (quote === undefined && /\s/.test(char)) {
      if (isWord) argv.push(word);
      word = '';
      isWord = false;
      continue;
    }
    isWord = true;
    if (quote === undefined && (char === '"' || char === "'")) quote = char;
    else if (char === quote) quote = undefined;
    else if (char === '\\' && quote !== "'" && isEscaped(text.charAt(at + 1), quote)) {
      word += text.charAt(at + 1);
      at += 1;
    } else word += char;
  }
  if (quote !== undefined) return { problem: `A ${quote === '"' ? 'double' : 'single'} quote is open: close it.` };
  if (isWord) argv.push(word);
  return { argv };
}

/** In double quotes a backslash counts before a quote, a backslash, $ and ` only. */
function isEscaped(next: string, quote: '"' | "'" | undefined): boolean {
  return next !== '' && (quote === undefined || '"\\$`'.includes(next));
}
