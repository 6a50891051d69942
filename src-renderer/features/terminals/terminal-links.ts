/** Links in a terminal: what an agent prints is not to be trusted, so they open by modifier and click only, and https only. */
import { WebLinksAddon } from '@xterm/addon-web-links';
import type { Terminal } from '@xterm/xterm';

/** Without the quotes and brackets that stand around links in logs. */
const HTTPS_LINK = /https:\/\/[^\s"'<>()[\]{}|\\^`]*[^\s"'<>()[\]{}|\\^`.,:;!?]/;

function open(event: MouseEvent, address: string): void {
  if (!event.ctrlKey && !event.metaKey) return;
  if (URL.parse(address)?.protocol !== 'https:') return;
  window.open(address, '_blank', 'noopener,noreferrer');
}

/** Makes links of `terminal` work; `onHover` is told where one would lead, and undefined when the pointer leaves it. */
export function followLinks(terminal: Terminal, onHover: (address: string | undefined) => void): void {
  const hover = (_event: MouseEvent, address: string): void => onHover(address);
  const leave = (): void => onHover(undefined);
  terminal.loadAddon(new WebLinksAddon(open, { urlRegex: HTTPS_LINK, hover, leave }));
  // Links that the program marks as such (OSC 8) may say one thing and lead elsewhere: where to is shown on hover.
  terminal.options.linkHandler = { activate: open, hover, leave };
}
