/**
 * The small parent that an agent has inside its pane in a container: tmux loses the last words and, up to version 3.4, sometimes
 * the exit code of a pane's process, and sends SIGCONT to one that was stopped. So the agent is the shim's child, and the shim
 * tells the box over a socket of theirs how it ended, and stays until the box has taken the screen.
 *
 * It is written in Perl as the host's is (core/runtimes/tmux/agent-shim.ts): one lives beside each agent, and Node would take
 * ten times the memory and fifteen times the CPU time of its start. It uses the interpreter alone, no module: the kit has none.
 */
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import type { ProcessExit } from '#shared/agents/model.ts';
import { KIT, kitCommand } from '#shared/box/places.ts';
import type { TerminalProgram } from './run-in-terminal.ts';

/** What a shim says, one JSON object a line. `status` is wait(2)'s. */
export type ShimReport =
  | { readonly type: 'running'; readonly pid: number; readonly what: 'setup' | 'agent' }
  | { readonly type: 'ended'; readonly status: number; readonly isSetup: boolean };

/** The longest report, in bytes. */
export const MAX_SHIM_LINE = 1024;

/** Where Perl is on a machine without a kit. */
const PERL_PATH = '/usr/bin/perl';

/*
 * What the script does, and why:
 * - The order comes over the socket, so that the environment is in no file and no arguments: its length, then words that end
 *   with NUL, the one byte that none of them can hold.
 * - Keys (Ctrl-C, Ctrl-\) reach the agent from the terminal itself, and what the engine sends to the box goes to the agent's whole
 *   process group, in which the shim is: nothing is passed on, or the agent would get it twice, and programs take the second
 *   SIGTERM for an order to drop everything. The hang-up of a terminal that is gone reaches only the leader of the session, which
 *   is the shim: that, and that alone, is passed on.
 * - A handler that runs in the child between fork and `exec` would swallow a signal, so what came is sent again once it is gone.
 * - `4` and `10` are EINTR and ECHILD on Linux, `1, 1` a stream socket of the Unix family: their names would load modules.
 */
const SCRIPT = `
$SIG{__WARN__} = sub {};
my @names = qw(HUP INT QUIT TERM USR1 USR2 PIPE);
my ($path) = @ARGV;
my $line;
socket($line, 1, 1, 0) && connect($line, pack "S a108", 1, $path) or exit 1;
my $order = "";
my $size;
until (defined $size && length $order >= $size) {
  my $count = sysread $line, $order, 65536, length $order;
  next if !defined $count && $! == 4;
  exit 1 if !$count;
  if (!defined $size && $order =~ s/^(\\d+)\\n//) { $size = $1; }
}
my ($cwd, $has, $setup, $number, @words) = split /\\0/, $order, -1;
my @argv = splice @words, 0, $number;
my ($child, $came);
sub say_ { my $text = "$_[0]\\n"; while (length $text) { my $count = syswrite $line, $text; next if !defined $count && $! == 4; last if !$count; substr($text, 0, $count) = ""; } }
for my $name (@names) { $SIG{$name} = sub { $came = $name; }; }
$SIG{HUP} = sub { if (!-t STDIN) { kill "HUP", $child if $child; } else { $came = "HUP"; } };
sub run {
  my ($what, @command) = @_;
  $came = undef;
  $child = fork;
  if (!defined $child) { print STDERR "quarterdeck: cannot start a process: $!\\n"; return 126 << 8; }
  if ($child == 0) {
    $SIG{$_} = "DEFAULT" for @names;
    kill $came, $$ if defined $came && $came ne "PIPE";
    %ENV = ();
    for (@words) { $ENV{$1} = $2 if /^([^=]+)=(.*)$/s; }
    if (!chdir $cwd) { print STDERR "quarterdeck: cannot go to $cwd: $!\\n"; exit 127; }
    exec { $command[0] } @command;
    print STDERR "quarterdeck: cannot run $command[0]: $!\\n";
    exit($! == 2 ? 127 : 126);
  }
  say_ qq({"type":"running","pid":$child,"what":"$what"});
  while (waitpid($child, 0) != $child) { last if $! == 10; }
  return $?;
}
$0 = "quarterdeck-agent";
my $status = 0;
my $over = "true";
$status = run("setup", "/bin/sh", "-eu", "-c", $setup) if $has;
if ($status == 0) { $over = "false"; $status = run("agent", @argv); }
$child = undef;
say_ qq({"type":"ended","status":$status,"isSetup":$over});
while (1) { my $count = sysread $line, my $bytes, 1024; last if defined $count ? !$count : $! != 4; }
exit 0;
`.trim();

/** The command of a shim whose box listens at `socketPath`: by the kit's Perl, else by the machine's own. */
export function shimCommand(socketPath: string): string[] {
  const arch = process.arch === 'arm64' ? 'arm64' : 'x64';
  const args = ['-e', SCRIPT, '--', socketPath];
  return existsSync(`${KIT.bin}/perl`) ? kitCommand(arch, 'perl', args) : [PERL_PATH, ...args];
}

/** What is written to a shim. Throws where a word holds NUL, which no program can be given. */
export function shimOrder({ argv, cwd, env, setup }: TerminalProgram): Buffer {
  const variables = Object.entries({ ...env, PWD: cwd }).map(([name, value]) => `${name}=${value}`);
  const words = [cwd, setup === null ? '' : '1', setup ?? '', String(argv.length), ...argv, ...variables];
  if (words.some((word) => word.includes('\0'))) throw new Error('what is to be started holds a NUL byte');
  const order = Buffer.from(words.map((word) => `${word}\0`).join(''));
  return Buffer.concat([Buffer.from(`${order.length}\n`), order]);
}

/** How a process ended, of which wait(2) says this. */
export function exitOf(status: number): ProcessExit {
  const number = status & 127;
  if (number === 0) return { code: status >> 8 };
  const name = Object.entries(constants.signals).find(([, one]) => one === number)?.[0];
  // A real-time signal has no name: as a shell tells it.
  return name === undefined ? { code: 128 + number } : { signal: name };
}
