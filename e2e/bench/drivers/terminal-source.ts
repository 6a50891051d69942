/** The program that runs in every terminal that is measured, whoever shows it: plain sh, so that it is the same everywhere. */
import { writeFileSync } from 'node:fs';

/**
 * Reads orders, one a line: `flood N` prints the log and END-N; `endless N` prints it over and over until Ctrl-C, then STOPPED-N;
 * `lines N M` prints its last N lines and END-M. Between orders keys are echoed by the terminal itself.
 * noflsh: else the kernel throws unread output away at Ctrl-C, and at times never wakes the one who writes next (seen in every
 * terminal, wetty's too).
 */
const PROGRAM = `trap stop=1 INT
stty noflsh
echo READY-0
while :; do
  read -r order count name || continue
  case "$order" in
    flood) cat "$1"; echo "END-$count" ;;
    endless) stop=; while [ -z "$stop" ] && cat "$1"; do :; done; echo; echo "STOPPED-$count" ;;
    lines) tail -n "$count" "$1"; echo "END-$name" ;;
    quit) exit 0 ;;
  esac
done
`;

/** Writes the program and returns the words that run it with that log. */
export function writeSource(file: string, log: string): readonly string[] {
  writeFileSync(file, PROGRAM);
  return ['sh', file, log];
}
