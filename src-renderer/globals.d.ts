/** The version of the product, put in when the window is built. */
declare const __QUARTERDECK_VERSION__: string;
