/** The names that the preload and the main process share. Kept apart: the preload is one small file of its own. */

/** From the page: give me new ports. */
export const CONNECT_CHANNEL = 'quarterdeck:connect';
/** To the page, with two ports: calls, then terminals. The preload passes it on under the same name. */
export const PORTS_CHANNEL = 'quarterdeck:ports';
