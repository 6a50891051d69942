/**
 * The first words of an agent's command where its limits are to hold: a small program that puts itself into the run's cgroups,
 * lowers what a process may open, and becomes the agent. So nothing the agent starts was ever outside. The environment passes
 * through untouched, and is not repeated in the arguments.
 */

/** What runs: a program, and its arguments without its name. */
export interface Command {
  readonly path: string;
  readonly args: readonly string[];
}

/** What enters and sets limits: Perl keeps every variable of the environment as it is; a shell may add its own. */
export interface EnterTool {
  readonly kind: 'perl' | 'sh';
  /** Absolute path. */
  readonly path: string;
}

/** What to hold a process to before it becomes the agent. */
export interface EnterPlan {
  /** Files of cgroups: to write 0, which is the writer itself, is to enter. */
  readonly entryFiles: readonly string[];
  readonly openFiles: number;
  /** Most processes of the user, RLIMIT_NPROC; undefined: no such limit. The kernel does not hold root to it. */
  readonly userProcesses: number | undefined;
}

/** Numbers of prlimit64(2) in the kernel's tables of system calls, by Node's `process.arch`. Perl has no such function. */
const PRLIMIT: Readonly<Record<string, number>> = { x64: 302, arm64: 261 };
/** RLIMIT_NOFILE and RLIMIT_NPROC of asm-generic/resource.h. */
const OPEN_FILES = 7;
const PROCESSES = 6;

/** In the arguments of a process that is still entering, and in no agent's. */
const MARK = 'quarterdeck-limits: not held:';

/** A limit that cannot be set is lower already; a cgroup that cannot be entered means that nothing is started. */
const PERL = `
while (@ARGV) {
  my $word = shift;
  last if $word eq "--";
  if ($word =~ /^\\+(.*)$/s) {
    my $file;
    if (!open($file, ">", $1) || !defined(syswrite $file, "0") || !close $file) { print STDERR "${MARK} $1: $!\\n"; exit 126; }
  } elsif ($word =~ /^(\\d+),(\\d+),(\\d+)$/) {
    my $limit = pack "QQ", $3, $3;
    syscall $1 + 0, 0, $2 + 0, $limit, 0;
  }
}
exec { $ARGV[0] } @ARGV;
print STDERR "quarterdeck: cannot run $ARGV[0]: $!\\n";
exit 127;
`.trim();

const SH = `
while [ "$1" != -- ]; do
  case $1 in
    +*) echo 0 > "\${1#+}" || { echo "${MARK} \${1#+}" >&2; exit 126; } ;;
    n*) ulimit -n "\${1#n}" 2>/dev/null ;;
    u*) ulimit -u "\${1#u}" 2>/dev/null || ulimit -p "\${1#u}" 2>/dev/null ;;
  esac
  shift
done
shift
exec "$@"
`.trim();

/** Whether these arguments of a process (as in /proc/<pid>/cmdline) are those of one that has not become the agent yet. */
export function isEntering(commandLine: string): boolean {
  return commandLine.includes(MARK);
}

/** Whether Perl can set limits here: it calls the kernel by number. */
export function isPerlEnough(platform: string = process.platform, arch: string = process.arch): boolean {
  return platform === 'linux' && PRLIMIT[arch] !== undefined;
}

/** The command that enters, and becomes `program`. */
export function enterCommand(tool: EnterTool, plan: EnterPlan, program: Command): Command {
  const files = plan.entryFiles.map((file) => `+${file}`);
  const { openFiles, userProcesses } = plan;
  if (tool.kind === 'sh') {
    const limits = [`n${openFiles}`, ...(userProcesses === undefined ? [] : [`u${userProcesses}`])];
    return { path: tool.path, args: ['-c', SH, 'quarterdeck-limits', ...files, ...limits, '--', program.path, ...program.args] };
  }
  const call = PRLIMIT[process.arch] ?? 0;
  const limits = [
    `${call},${OPEN_FILES},${openFiles}`,
    ...(userProcesses === undefined ? [] : [`${call},${PROCESSES},${userProcesses}`]),
  ];
  // With -t, Perl ignores PERL5OPT and the like, which are the agent's (perlrun(1)); -X keeps it from saying so.
  return { path: tool.path, args: ['-X', '-t', '-e', PERL, '--', ...files, ...limits, '--', program.path, ...program.args] };
}
