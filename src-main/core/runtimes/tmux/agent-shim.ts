/**
 * The small parent that an agent has inside its tmux pane.
 *
 * It is needed because tmux sends SIGCONT to a pane's process as soon as that process is stopped (server_child_stopped in
 * tmux's server.c; tmux issue 5568), so that no pause would last. The agent is therefore the shim's child; the shim waits for
 * it, ends the same way (exit code, or by the same signal), and is what tmux sees. It also takes out of the environment what
 * tmux puts in: with TMUX set, a `tmux kill-server` typed by an agent would end every agent.
 */

/** How the shim is written: Perl tells an exit code from a signal; a POSIX shell takes codes 129 and up for signals. */
export type ShimKind = 'perl' | 'sh';

/** A shim and the absolute path of its interpreter. */
export interface Shim {
  readonly kind: ShimKind;
  readonly path: string;
}

/*
 * What both scripts do, and why:
 * - The handlers are set after the fork: in the child, one of them would swallow a signal that comes before `exec`.
 * - Ctrl-C and Ctrl-\ reach the agent from the terminal itself. The hang-up of a terminal that is gone reaches only the leader
 *   of the session, which is the shim: it is passed on (a shell that dies of it makes the kernel do the same).
 * - The question at the end (ECMA-48 DSR 5, "are you well?"): when it learns of the end of a pane's process, tmux drops what
 *   it has not read yet. Its answer shows that it has read everything, the agent's last words included. The terminal is made
 *   raw before, so that the answer is not echoed, and no read waits longer than a tenth of a second: a process that the agent
 *   left behind may read from the terminal, too, and take the answer. It is asked again each second. What is no terminal any more is gone.
 * - An interactive shell puts itself into the foreground of the terminal. When it is killed the shim is left in the background,
 *   where no read succeeds: it takes the foreground back first (TIOCSPGRP; SIGTTOU would stop it for that).
 */

/** `10` is ECHILD on Linux and macOS: its name would load a module. A core dump of the agent is not followed by one of the shim. */
const PERL = `
$SIG{__WARN__} = sub {};
while (@ARGV) {
  my $word = shift;
  last if $word eq "--";
  if ($word =~ /^-(.*)$/s) { delete $ENV{$1}; } elsif ($word =~ /^([^=]*)=(.*)$/s) { $ENV{$1} = $2; }
}
my $child = fork;
if (defined $child && $child == 0) {
  exec { $ARGV[0] } @ARGV;
  print STDERR "quarterdeck: cannot run $ARGV[0]: $!\\n";
  exit 127;
}
if (!defined $child) { print STDERR "quarterdeck: cannot start a process: $!\\n"; exit 126; }
$SIG{$_} = sub {} for qw(INT QUIT USR1 USR2);
for my $name (qw(HUP TERM)) { $SIG{$name} = sub { kill $name, $child; }; }
$0 = "quarterdeck-agent";
while (waitpid($child, 0) != $child) { last if $! == 10; }
my $status = $?;
$SIG{TTOU} = "IGNORE";
ioctl STDIN, ($^O eq "darwin" ? 0x80047476 : 0x5410), pack "i", getpgrp;
if (-t STDIN && system({ "/bin/stty" } "stty", "raw", "-echo", "min", "0", "time", "1") == 0) {
  my ($seen, $end, $asked) = ("", time + 5, 0);
  while ($seen !~ /\\e\\[0n/ && time < $end) {
    if ($asked != time) { $asked = time; syswrite STDOUT, "\\e[5n"; }
    my $count = sysread STDIN, my $bytes, 1024;
    if ($count) { $seen .= $bytes; next; }
    last if !-t STDIN;
    select undef, undef, undef, 0.02 if !defined $count;
  }
} else { select undef, undef, undef, 0.05; }
my $signal = $status & 127;
if ($signal) {
  $SIG{$_} = "DEFAULT" for qw(INT QUIT USR1 USR2 HUP TERM);
  if ($status & 128) { exec "/bin/sh", "-c", "ulimit -c 0; kill -$signal \\$\\$"; }
  kill $signal, $$;
  sleep 1;
  exit 128 + $signal;
}
exit($status >> 8);
`.trim();

const SH = `
while [ "$1" != -- ]; do
  case $1 in -*) unset "\${1#-}" ;; *) export "$1" ;; esac
  shift
done
shift
exec 9>&2 2>/dev/null
trap : INT QUIT
"$@" 2>&9 9>&-
status=$?
stty raw -echo min 0 time 30 && printf '\\033[5n' && dd bs=16 count=1 >/dev/null
if [ $status -gt 128 ]; then
  trap - INT QUIT
  ulimit -c 0
  kill -$((status - 128)) $$
fi
exit $status
`.trim();

/** In the arguments of a child of the shim that has not become the agent's program yet, and in no agent's. */
const MARK = 'quarterdeck-agent";';
const SH_MARK = 'trap : INT QUIT';

/** Whether these arguments of a process (as in /proc/<pid>/cmdline) are still the shim's. */
export function isShim(commandLine: string): boolean {
  return commandLine.includes(MARK) || commandLine.includes(SH_MARK);
}

/** What tmux adds to a pane's environment, and what its server has itself (see tmux-server.ts). */
const ADDED_BY_TMUX = [
  'TMUX',
  'TMUX_PANE',
  'TERM_PROGRAM',
  'TERM_PROGRAM_VERSION',
  'COLORTERM',
  'SHELL',
  'PATH',
  'HOME',
] as const;

/** Variables that would make Perl itself load or do something; with taint checks on it ignores them (perlrun(1)). */
const PERL_SWITCHES = ['PERL5OPT', 'PERL5LIB', 'PERL5DB'] as const;

/**
 * The command that tmux runs in the pane: the shim, then the program with its arguments.
 * `env` is not passed here (arguments are visible to all); of it, only SHELL is repeated, which tmux overwrites, and PWD is set.
 */
export function shimCommand(
  shim: Shim,
  program: { path: string; args: readonly string[]; cwd: string; env: Readonly<Record<string, string>> },
): string[] {
  const { path, args, cwd, env } = program;
  const edits: string[] = ADDED_BY_TMUX.filter((name) => env[name] === undefined).map((name) => `-${name}`);
  edits.push(`PWD=${cwd}`);
  if (env['SHELL'] !== undefined) edits.push(`SHELL=${env['SHELL']}`);
  const launch = [...edits, '--', path, ...args];
  if (shim.kind === 'sh') return [shim.path, '-c', SH, 'quarterdeck-agent', ...launch];
  const needsTaint = PERL_SWITCHES.some((name) => env[name] !== undefined);
  return [shim.path, ...(needsTaint ? ['-t'] : []), '-e', PERL, '--', ...launch];
}
