#!/bin/bash
# A program that works on a folder and says what it finds, as an agent of a fleet for pictures and measurements.
# Usage: work-log.sh JOB [TOKEN_FILE]. What it prints is true: it counts, searches and compares what is there.
# With a token file it hands its agent token over, so that a spec can speak for it.
job=$1
if [ -n "$2" ]; then (umask 077; printf '%s\n' "$QUARTERDECK_AGENT_TOKEN" > "$2"); fi

bold=$'\e[1m' dim=$'\e[2m' red=$'\e[31m' green=$'\e[32m' yellow=$'\e[33m' blue=$'\e[34m' magenta=$'\e[35m' cyan=$'\e[36m' off=$'\e[0m'
head() { printf '%s%s%s %s%s%s\n' "$bold" "$1" "$off" "$dim" "$2" "$off"; }
ok() { printf '  %s✓%s %s %s%s%s\n' "$green" "$off" "$1" "$dim" "$2" "$off"; }
no() { printf '  %s✗%s %s %s%s%s\n' "$red" "$off" "$1" "$dim" "$2" "$off"; }
say() { printf '  %s\n' "$1"; }
# Lines come one by one, as from a program that works.
step() { sleep "0.$((RANDOM % 4 + 1))"; }
files() { find src docs test -type f | sort; }

lines() {
  head 'line count' 'by file'
  files | while read -r file; do step; printf '  %s%5d%s  %s\n' "$cyan" "$(wc -l < "$file")" "$off" "$file"; done
  say "$(files | xargs cat | wc -l) lines in $(files | wc -l) files"
}
todos() {
  head 'open TODOs' 'src, test'
  grep -rn 'TODO' src test | while IFS=: read -r file line text; do step; printf '  %s%s%s:%s%s%s %s\n' "$magenta" "$file" "$off" "$green" "$line" "$off" "${text#*// }"; done
  say "$(grep -rn 'TODO' src test | wc -l) left"
}
links() {
  head 'links' 'docs'
  grep -rohE '\]\([^)]+\)' docs | tr -d ']()' | sort -u | while read -r target; do
    step
    if [ -e "docs/$target" ]; then ok "$target"; else no "$target" 'no such file'; fi
  done
}
exports() {
  head 'exports' 'used by another file'
  grep -rhoE 'export function [a-zA-Z]+' src | awk '{ print $3 }' | sort -u | while read -r name; do
    step
    uses=$(grep -rlw "$name" src test | wc -l)
    if [ "$uses" -gt 1 ]; then ok "$name" "$((uses - 1)) uses"; else no "$name" 'used nowhere'; fi
  done
}
history() {
  head 'git log' "$(git rev-parse --abbrev-ref HEAD)"
  git log --format='%h%x09%s' | while IFS=$'\t' read -r hash text; do step; printf '  %s%s%s %s\n' "$yellow" "$hash" "$off" "$text"; done
}
names() {
  head 'file names' 'kebab-case'
  files | while read -r file; do step; if [[ $(basename "$file") =~ ^[a-z0-9.-]+$ ]]; then ok "$file"; else no "$file"; fi; done
}
sums() {
  head 'sha256' 'src'
  find src -type f | sort | while read -r file; do step; printf '  %s%.12s%s %s\n' "$blue" "$(sha256sum "$file")" "$off" "$file"; done
}
syntax() {
  head 'node --check' 'test'
  find test -name '*.mjs' | sort | while read -r file; do if node --check "$file" 2> /dev/null; then ok "$file"; else no "$file"; fi; done
}
# Ends badly, and says why.
migrate() {
  head 'migrate' 'berths 0007 → 0008'
  ok '0007_pilots.sql' 'applied before'
  no '0008_outbox.sql' 'db/0008_outbox.sql: no such file'
  say "${red}stopped: nothing was changed${off}"
  exit 1
}
# Ends well.
tidy() { head 'tidy' 'trailing blanks'; files | xargs grep -lE ' +$' | while read -r file; do say "$file"; done; ok 'nothing else to do'; exit 0; }

while true; do
  "$job"
  printf '%sagain when something changes%s\n' "$dim" "$off"
  # A minute is long enough to cost nothing, and short enough to be seen alive.
  sleep 60
done
