// What `electron` resolves to outside src-main/hosts/electron: a module with nothing in it, so that an import fails the
// type-check. Importing it at run time starts a download and then throws where Electron's binary is not there.
export {};
