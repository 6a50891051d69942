#!/usr/bin/env bash
# Starts an agent from a shell and enters its terminal: a thin front of `quarterdeck spawn` and `quarterdeck attach`.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: agent-wrapper.sh <id> <type> [options of `quarterdeck spawn`] [-- command...]

Starts the agent <id> of type <type> on the folder you stand in, or the one that is there under this id, and enters its
terminal when there is one to enter from. Starts Quarterdeck in the background when it does not run.

Examples:
  agent-wrapper.sh worker-001 worker
  agent-wrapper.sh worker-002 worker --env BATCH_SIZE=50 --memory 1GB
  agent-wrapper.sh shell-001 command -- bash -l

Environment: QUARTERDECK_HOME, the data folder. Exit codes are those of `quarterdeck`.
TEXT
}

case "${1:-}" in
  -h | --help)
    usage
    exit 0
    ;;
esac
if [ $# -lt 2 ]; then
  usage >&2
  exit 2
fi

id=$1
type=$2
shift 2

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if [ -f "$here/../bin/quarterdeck.mjs" ]; then
  quarterdeck() { node "$here/../bin/quarterdeck.mjs" "$@"; }
elif ! command -v quarterdeck >/dev/null; then
  echo "agent-wrapper.sh: quarterdeck was not found beside this script or in PATH" >&2
  exit 1
fi

quarterdeck spawn --id "$id" --type "$type" "$@"
# One that was there before may have ended; starting one that runs changes nothing.
quarterdeck agents start "$id" >/dev/null

if [ -t 0 ] && [ -t 1 ]; then
  quarterdeck attach "$id"
else
  echo "There is no terminal here; look at it with: quarterdeck attach $id" >&2
fi
