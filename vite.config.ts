import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin, type UserConfig } from 'vite';

const root = import.meta.dirname;

const { version: packageVersion } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly version: string };

/**
 * The programs that run under plain Node, by the name of their file in `out/node`. One build with shared chunks, all in
 * one folder, so that `new URL('./read-worker.js', import.meta.url)` is right in every chunk.
 */
const NODE_ENTRIES = {
  headless: 'src-main/hosts/headless/main.ts',
  cli: 'src-main/hosts/cli/main.ts',
  'read-worker': 'src-main/core/read-worker.ts',
  'search-worker': 'src-main/core/search-worker.ts',
  worker: 'src-main/guests/worker/main.ts',
};

/** Where a target is written; bin/build.mjs builds beside `out` and swaps, so that a running core keeps its files. */
const outRoot = process.env.QUARTERDECK_BUILD_OUT ?? join(root, 'out');

const existing = (entries: Record<string, string>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(entries)
      .map(([name, path]) => [name, join(root, path)] as const)
      .filter(([, path]) => existsSync(path)),
  );

/** A build for Node: packages stay in node_modules (native modules must, the others lose nothing by it). */
const forNode = (folder: string, input: Record<string, string>): UserConfig => ({
  root,
  publicDir: false,
  build: {
    ssr: true,
    outDir: join(outRoot, folder),
    emptyOutDir: true,
    target: 'node24',
    minify: false,
    sourcemap: true,
    reportCompressedSize: false,
    rolldownOptions: {
      input,
      external: ['electron'],
      output: { format: 'esm', entryFileNames: '[name].js', chunkFileNames: 'chunk-[name]-[hash].js' },
    },
  },
});

/** A sandboxed preload must be one CommonJS file: everything but `electron` is bundled in. */
const preload: UserConfig = {
  root,
  publicDir: false,
  ssr: { noExternal: true },
  build: {
    ssr: true,
    outDir: join(outRoot, 'preload'),
    emptyOutDir: true,
    target: 'node24',
    minify: false,
    sourcemap: false,
    reportCompressedSize: false,
    rolldownOptions: {
      input: { preload: join(root, 'src-main/hosts/electron/preload.ts') },
      external: ['electron'],
      output: { format: 'cjs', entryFileNames: 'preload.cjs', codeSplitting: false },
    },
  },
};

/**
 * Takes names of Node's own modules from the modules themselves. An `import` of one makes Node read everything that it exports,
 * which loads what nobody asked for (WebCrypto): of the 50 ms of CPU that the box took for its start, 8.
 */
const directBuiltins: Plugin = {
  name: 'direct-builtins',
  renderChunk: (code) =>
    code.replaceAll(
      /^import \{([^}]*)\} from "(node:[^"]+)";$/gm,
      (_, names: string, module: string) => `const {${names.replaceAll(' as ', ': ')}} = process.getBuiltinModule("${module}");`,
    ),
};

/**
 * A program that runs inside a box, or detached from the core: one file with everything in it, because there is no node_modules
 * where it runs. One build for each, because only a build with one entry makes one file; bin/build.mjs names it.
 */
const guest = (name: string): UserConfig => ({
  ...forNode('guests', { [name]: join(root, 'src-main/guests', name, 'main.ts') }),
  ssr: { noExternal: true },
  // One box for each agent; of the others one for all, or none at a launch.
  plugins: name === 'box' ? [directBuiltins] : [],
  define: { __QUARTERDECK_VERSION__: JSON.stringify(packageVersion) },
  build: {
    ...forNode('guests', {}).build,
    emptyOutDir: false,
    sourcemap: false,
    rolldownOptions: {
      input: { [name]: join(root, 'src-main/guests', name, 'main.ts') },
      output: { format: 'esm', entryFileNames: '[name].js', codeSplitting: false },
    },
  },
});

/** The window. `base: '/'`: the same files are served from `app://bundle/` and over HTTP. */
const renderer: UserConfig = {
  root: join(root, 'src-renderer'),
  base: '/',
  plugins: [react(), tailwindcss()],
  define: { __QUARTERDECK_VERSION__: JSON.stringify(packageVersion) },
  build: {
    outDir: join(outRoot, 'renderer'),
    emptyOutDir: true,
    // Electron 45 embeds Chromium 150; a browser on the headless core may be older.
    target: 'es2023',
    sourcemap: false,
    reportCompressedSize: false,
    // The window is one local bundle, loaded from disk.
    chunkSizeWarningLimit: 4096,
  },
};

/** Every primitive of the window on pages of its own; never part of the product. */
const gallery: UserConfig = {
  ...renderer,
  root: join(root, 'src-renderer/gallery'),
  build: {
    ...renderer.build,
    outDir: join(outRoot, 'gallery'),
    rolldownOptions: { input: join(root, 'src-renderer/gallery/gallery.html') },
  },
};

/** One config for every target: `vite build --mode node|main|guests|preload|renderer|gallery`. */
export default defineConfig(({ mode }): UserConfig => {
  switch (mode) {
    case 'node':
      return forNode('node', existing(NODE_ENTRIES));
    case 'main':
      return forNode('main', { main: join(root, 'src-main/hosts/electron/main.ts') });
    case 'guests':
      return guest(process.env.QUARTERDECK_GUEST ?? 'box');
    case 'preload':
      return preload;
    case 'gallery':
      return gallery;
    default:
      return renderer;
  }
});
