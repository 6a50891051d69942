/** A file's language by its name, and what starts a comment in it. Nothing here looks into a file. */

/** What starts a comment line. */
type CommentStyle = 'c' | 'hash' | 'dash' | 'semicolon' | 'percent' | 'quote' | 'markup' | 'none';

/** Texts that a trimmed line begins with when it is a comment. Blocks are not followed: only how the line begins counts. */
const MARKERS: Readonly<Record<CommentStyle, readonly string[]>> = {
  c: ['//', '/*', '*/', '* '],
  hash: ['#'],
  dash: ['--'],
  semicolon: [';'],
  percent: ['%'],
  quote: ['"'],
  markup: ['<!--', '-->'],
  none: [],
};

const LANGUAGES: Readonly<Record<string, readonly [style: CommentStyle, ...extensions: string[]]>> = {
  TypeScript: ['c', 'ts', 'tsx', 'mts', 'cts'],
  JavaScript: ['c', 'js', 'jsx', 'mjs', 'cjs'],
  Python: ['hash', 'py', 'pyi'],
  Go: ['c', 'go'],
  Rust: ['c', 'rs'],
  C: ['c', 'c', 'h'],
  'C++': ['c', 'cc', 'cpp', 'cxx', 'hh', 'hpp', 'hxx'],
  'C#': ['c', 'cs'],
  Java: ['c', 'java'],
  Kotlin: ['c', 'kt', 'kts'],
  Swift: ['c', 'swift'],
  Scala: ['c', 'scala'],
  PHP: ['c', 'php'],
  Ruby: ['hash', 'rb', 'rake'],
  Perl: ['hash', 'pl', 'pm'],
  Shell: ['hash', 'sh', 'bash', 'zsh', 'fish'],
  PowerShell: ['hash', 'ps1'],
  Lua: ['dash', 'lua'],
  SQL: ['dash', 'sql'],
  Haskell: ['dash', 'hs'],
  Elixir: ['hash', 'ex', 'exs'],
  Erlang: ['percent', 'erl', 'hrl'],
  Clojure: ['semicolon', 'clj', 'cljs', 'cljc', 'edn'],
  Lisp: ['semicolon', 'lisp', 'el', 'scm'],
  R: ['hash', 'r'],
  Julia: ['hash', 'jl'],
  Dart: ['c', 'dart'],
  Zig: ['c', 'zig'],
  Vim: ['quote', 'vim'],
  TeX: ['percent', 'tex', 'sty', 'cls'],
  CSS: ['c', 'css'],
  SCSS: ['c', 'scss', 'less'],
  HTML: ['markup', 'html', 'htm', 'xhtml'],
  XML: ['markup', 'xml', 'svg', 'xsd', 'xsl', 'plist'],
  Vue: ['markup', 'vue'],
  Svelte: ['markup', 'svelte'],
  Markdown: ['none', 'md', 'mdx', 'markdown'],
  reStructuredText: ['none', 'rst'],
  Text: ['none', 'txt'],
  JSON: ['none', 'json', 'jsonl', 'webmanifest'],
  JSONC: ['c', 'jsonc', 'json5'],
  YAML: ['hash', 'yaml', 'yml'],
  TOML: ['hash', 'toml'],
  INI: ['semicolon', 'ini', 'cfg'],
  CSV: ['none', 'csv', 'tsv'],
  GraphQL: ['hash', 'graphql', 'gql'],
  'Protocol Buffers': ['c', 'proto'],
  Terraform: ['hash', 'tf', 'tfvars'],
  CMake: ['hash', 'cmake'],
  Dockerfile: ['hash', 'dockerfile'],
  Makefile: ['hash', 'mk', 'mak'],
};

const BY_FILE_NAME: Readonly<Record<string, string>> = {
  dockerfile: 'Dockerfile',
  containerfile: 'Dockerfile',
  makefile: 'Makefile',
  gnumakefile: 'Makefile',
  'cmakelists.txt': 'CMake',
  gemfile: 'Ruby',
  rakefile: 'Ruby',
};

const BY_EXTENSION: ReadonlyMap<string, string> = new Map(
  Object.entries(LANGUAGES).flatMap(([language, [, ...extensions]]) =>
    extensions.map((extension): [string, string] => [extension, language]),
  ),
);

/** The language of files that no rule knows. */
export const OTHER = 'Other';
/** The "language" that binary files are counted under. */
export const BINARY = 'Binary';

/** The language of a file by its name: the whole name first ("Makefile"), then what follows its last dot. */
export function languageOf(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase();
  const whole = BY_FILE_NAME[name];
  if (whole !== undefined) return whole;
  const dot = name.lastIndexOf('.');
  // ".gitignore" is a name that begins with a dot, not an extension.
  if (dot <= 0) return OTHER;
  return BY_EXTENSION.get(name.slice(dot + 1)) ?? OTHER;
}

/** What a trimmed line begins with when it is a comment of this language. */
export function commentMarkers(language: string): readonly string[] {
  return MARKERS[LANGUAGES[language]?.[0] ?? 'none'];
}
