#!/usr/bin/env bash
# Run: says whether tmux is as it should be, and changes nothing. Sourced: gives functions for Quarterdeck's own tmux server.
#
#   scripts/setup-tmux.sh                  checks
#   scripts/setup-tmux.sh --install-conf   adds a key to your own tmux: prefix, then Q, opens a window with the agents
#   source scripts/setup-tmux.sh           qd_ls, qd_attach ID [WINDOW], qd_watch ID [WINDOW], qd_logs ID [LINES], qd_socket
#
# Quarterdeck sets its own server up by itself and never reads your tmux configuration, nor you its.

# The oldest version that the product works with.
_qd_oldest=3.2

# The data folder, by the rules of the product.
_qd_home() {
  local home
  if [ -n "${QUARTERDECK_HOME:-}" ]; then
    home=$QUARTERDECK_HOME
  elif [ -n "${XDG_DATA_HOME:-}" ]; then
    home=${XDG_DATA_HOME%/}/quarterdeck
  elif [ "$(uname)" = Darwin ]; then
    home="$HOME/Library/Application Support/Quarterdeck"
  else
    home=$HOME/.local/share/quarterdeck
  fi
  case $home in
    /*) ;;
    *) home=$PWD/$home ;;
  esac
  # By its real path: the product does so too, whatever links lead there.
  printf '%s' "$(cd -P -- "$home" 2>/dev/null && pwd || printf '%s' "${home%/}")"
}

_qd_sha256() {
  if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi
}

# The socket of Quarterdeck's tmux server.
qd_socket() {
  local mark
  mark=$(_qd_home | _qd_sha256 | cut -c1-8)
  if [ -n "${XDG_RUNTIME_DIR:-}" ]; then
    printf '%s/qd-%s/tmux.sock\n' "${XDG_RUNTIME_DIR%/}" "$mark"
  else
    printf '/tmp/qd-%s-%s/tmux.sock\n' "$(id -u)" "$mark"
  fi
}

# The server may be reached from within another tmux as well.
_qd_tmux() {
  TMUX='' tmux -u -S "$(qd_socket)" "$@"
}

# Names the agents that have a terminal. The session with the capital letter is the product's own.
qd_ls() {
  _qd_tmux list-sessions -F '#{session_name}	#{session_windows} windows#{?session_attached,	(attached),}' 2>/dev/null | grep -v '^Quarterdeck	' ||
    echo 'No agent has a terminal.' >&2
}

# Enters an agent's terminal; prefix, then d, leaves it running.
qd_attach() {
  if [ $# -lt 1 ]; then
    echo 'Usage: qd_attach ID [WINDOW]' >&2
    return 2
  fi
  _qd_tmux attach-session -t "=$1:${2:-main}"
}

# Looks at an agent's terminal without typing.
qd_watch() {
  if [ $# -lt 1 ]; then
    echo 'Usage: qd_watch ID [WINDOW]' >&2
    return 2
  fi
  _qd_tmux attach-session -r -t "=$1:${2:-main}"
}

# Prints the last lines of an agent's terminal.
qd_logs() {
  if [ $# -lt 1 ]; then
    echo 'Usage: qd_logs ID [LINES]' >&2
    return 2
  fi
  _qd_tmux capture-pane -p -t "=$1:main" -S "-${2:-200}"
}

_qd_check() {
  local version
  if ! command -v tmux >/dev/null; then
    echo 'tmux is not installed: agents run in plain terminals that end with Quarterdeck.'
    if [ "$(uname)" = Darwin ]; then echo 'Install it: brew install tmux'; else echo 'Install it: sudo apt-get install tmux'; fi
    return 1
  fi
  version=$(tmux -V | sed 's/^[^0-9]*//')
  if [ "$(printf '%s\n' "$_qd_oldest" "$version" | sort -V | head -n 1)" != "$_qd_oldest" ]; then
    echo "tmux $version is too old: $_qd_oldest or newer is needed."
    return 1
  fi
  echo "tmux $version at $(command -v tmux) works."
  if [ -S "$(qd_socket)" ]; then
    echo "Quarterdeck's server: tmux -S $(qd_socket) list-sessions"
  else
    echo 'Quarterdeck has started no agent in tmux yet.'
  fi
}

_qd_install_conf() {
  local folder=${XDG_CONFIG_HOME:-$HOME/.config}/quarterdeck own=$HOME/.tmux.conf line
  line="source-file -q $folder/tmux.conf"
  mkdir -p "$folder"
  cat >"$folder/tmux.conf" <<'CONF'
# Made by Quarterdeck's scripts/setup-tmux.sh. Prefix, then Q, opens a window with the agents.
bind-key Q new-window -n agents 'quarterdeck agents; echo; printf "Attach to: "; read -r agent && TMUX= quarterdeck attach "$agent"'
CONF
  if [ ! -f "$own" ] || ! grep -qxF "$line" "$own"; then
    printf '%s\n' "$line" >>"$own"
    echo "Added to $own: $line"
  fi
  echo "Written: $folder/tmux.conf. It is read by the next tmux, or by: tmux source-file $folder/tmux.conf"
}

_qd_main() {
  case "${1:-}" in
    '') _qd_check ;;
    --install-conf) _qd_check && _qd_install_conf ;;
    -h | --help) sed -n '2,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" ;;
    *)
      echo "setup-tmux.sh: unknown option $1; see --help" >&2
      return 2
      ;;
  esac
}

# Sourced, it only defines; `return` outside a function works in a sourced file alone.
if ! (return 0 2>/dev/null); then
  _qd_main "$@"
fi
