/** The names that the preload and the main process share. Kept apart: the preload is one small file of its own. */

/** From the page: give me new ports. */
export const CONNECT_CHANNEL = 'quarterdeck:connect';
/** To the page, with two ports: calls, then terminals. The preload passes it on under the same name. */
export const PORTS_CHANNEL = 'quarterdeck:ports';
/** To the page, with a path of the window: go there. The preload passes it on as `{type, path}`. */
export const NAVIGATE_CHANNEL = 'quarterdeck:navigate';
/** A call of the page: let the operator choose a folder. */
export const CHOOSE_FOLDER_CHANNEL = 'quarterdeck:choose-folder';
