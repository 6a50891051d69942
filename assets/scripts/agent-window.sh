#!/usr/bin/env bash
# What the side windows of an agent's tmux session show.
#   agent-window.sh monitor            CPU, memory and processes of the agent's process tree
#   agent-window.sh queue FILE         the text that the worker keeps in FILE
# The agent's process id is in QUARTERDECK_MAIN_PID. The script ends when that process does.
# There are two of these for every agent: the loops start no process (on Linux), and read only the agent's own processes.

pid=${QUARTERDECK_MAIN_PID:?}
mode=$1
file=$2
shopt -s nullglob
printf '\033[?25l'

# Waits without starting a process; a key press shortens the wait. Without a terminal to wait on, sleep does it.
pause() {
  local key
  read -rsn 1 -t "$1" key && return
  if [ $? -le 128 ]; then sleep "$1"; fi
}

# Terminal size, as tmux has set it; asked again only after a resize.
rows=24 cols=80
resized=1
trap 'resized=1' WINCH
measure() {
  local size
  if [ "$resized" = 1 ]; then
    resized=0
    size=$(stty size 2>/dev/null) && rows=${size% *} cols=${size#* }
    if [ "$rows" -lt 2 ]; then rows=24 cols=80; fi
  fi
}

if [ -d /proc/self ]; then
  page_kb=$(($(getconf PAGESIZE 2>/dev/null || echo 4096) / 1024))
  ticks=$(getconf CLK_TCK 2>/dev/null || echo 100)

  # A dead process that nobody has collected yet is no longer running.
  is_running() {
    local line
    { read -r line </proc/"$pid"/stat; } 2>/dev/null || return 1
    line=${line##*) }
    [ "${line%% *}" != Z ]
  }

  # Hundredths of a second since the machine started.
  now() {
    local up
    read -r up _ </proc/uptime
    now=${up/./}
    now=$((10#$now))
  }

  declare -A before after
  at_before=0

  # Fills: count, kb (resident memory), used (ticks since the last look, of those that were there then), table (one line each).
  look() {
    local todo one task line pids fields name mb ms row cpu
    count=0 kb=0 used=0 table=()
    after=()
    todo=("$pid")
    now
    ms=$((now - at_before))
    while [ ${#todo[@]} -gt 0 ]; do
      one=${todo[0]}
      todo=("${todo[@]:1}")
      { read -r line </proc/"$one"/stat; } 2>/dev/null || continue
      name=${line#*(}
      name=${name%)*}
      read -ra fields <<<"${line##*) }"
      count=$((count + 1))
      mb=$((fields[21] * page_kb))
      kb=$((kb + mb))
      after[$one]=$((fields[11] + fields[12]))
      cpu=0
      if [ -n "${before[$one]}" ] && [ "$ms" -gt 0 ]; then
        cpu=$(((after[$one] - before[$one]) * 100000 / ticks / ms))
        used=$((used + after[$one] - before[$one]))
      fi
      printf -v row '%8s  %s  %4d.%d %%  %6d.%d MB  %s' "$one" "${fields[0]}" $((cpu / 10)) $((cpu % 10)) $((mb / 1024)) $((mb % 1024 * 10 / 1024)) "$name"
      table+=("$row")
      for task in /proc/"$one"/task/*/children; do
        pids=()
        { read -ra pids <"$task"; } 2>/dev/null
        todo+=("${pids[@]}")
      done
    done
    permille=0
    if [ "$ms" -gt 0 ]; then permille=$((used * 100000 / ticks / ms)); fi
    before=()
    for one in "${!after[@]}"; do before[$one]=${after[$one]}; done
    at_before=$now
  }
else
  is_running() { kill -0 "$pid" 2>/dev/null; }
  # No /proc: one ps and one awk for each look.
  look() {
    local line
    table=()
    while IFS= read -r line; do
      case $line in
      total*) read -r _ count kb permille <<<"$line" ;;
      *) table+=("$line") ;;
      esac
    done < <(ps -A -o pid=,ppid=,state=,pcpu=,rss=,comm= | awk -v root="$pid" '
      { pid[NR] = $1; parent[NR] = $2; row[NR] = sprintf("%8s  %s  %6s %%  %8.1f MB  %s", $1, substr($3, 1, 1), $4, $5 / 1024, $6); cpu[NR] = $4; rss[NR] = $5 }
      END {
        in_tree[root] = 1
        do { grew = 0; for (i = 1; i <= NR; i++) if (!in_tree[pid[i]] && in_tree[parent[i]]) { in_tree[pid[i]] = 1; grew = 1 } } while (grew)
        for (i = 1; i <= NR; i++) if (in_tree[pid[i]]) { n++; kb += rss[i]; c += cpu[i]; print row[i] }
        printf "total %d %d %d\n", n, kb, c * 10
      }')
  }
fi

# Draws lines, if they are not what is there already: tmux has work with every byte.
drawn=
show() {
  local line shown=0 IFS=$'\n'
  local text="$rows $cols $*"
  [ "$text" = "$drawn" ] && return
  drawn=$text
  printf '\033[H'
  for line in "$@"; do
    [ "$shown" -ge $((rows - 1)) ] && break
    printf '%s\033[K\n' "${line:0:cols}"
    shown=$((shown + 1))
  done
  printf '\033[J'
}

monitor() {
  local state
  # The first look only marks where the clock stood: CPU is what was used between two.
  look
  pause 1
  while is_running; do
    measure
    look
    state=running
    case ${table[0]} in *'  T  '*) state=paused ;; esac
    printf -v cpu '%d.%d %%' $((permille / 10)) $((permille % 10))
    printf -v memory '%d.%d MB' $((kb / 1024)) $((kb % 1024 * 10 / 1024))
    show "Process $pid is $state" "" "CPU        $cpu" "Memory     $memory" "Processes  $count" "" \
      "     PID     CPU         MEMORY      PROGRAM" "${table[@]}"
    pause 10
  done
}

queue() {
  local lines line
  while is_running; do
    measure
    lines=()
    if [ -r "$file" ]; then
      while [ ${#lines[@]} -lt "$rows" ] && { IFS= read -r line || [ -n "$line" ]; }; do
        # Only text: what a worker writes there must not steer the terminal.
        lines+=("${line//[[:cntrl:]]/ }")
      done <"$file"
      [ ${#lines[@]} -eq 0 ] && lines=("The queue is empty.")
    else
      lines=("The worker has not written its queue yet.")
    fi
    show "${lines[@]}"
    pause 5
  done
}

case $mode in
monitor) monitor ;;
queue) queue ;;
*)
  echo "usage: agent-window.sh monitor | queue FILE" >&2
  exit 2
  ;;
esac
printf '\nThe agent has ended.\n'
