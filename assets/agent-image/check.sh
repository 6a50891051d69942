#!/bin/bash
# What the agent image must hold, however it was made. Run inside it as the agent, with a read-only root and no capabilities:
#   docker run --rm --network none --read-only --cap-drop ALL --tmpfs /tmp IMAGE bash -s < check.sh
# Prints a line for each thing that is wrong and ends with 1, or prints "content is right".
set -u
wrong=0
fail() { printf 'wrong: %s\n' "$*"; wrong=1; }
try() { # try NAME EXPECTED-PATTERN COMMAND...: the command must succeed, and say something like it.
  local name=$1 pattern=$2 said
  shift 2
  said=$("$@" 2>&1 </dev/null) || { fail "$name ends with code $?: ${said:0:200}"; return; }
  [[ $said =~ $pattern ]] || fail "$name says ${said:0:200}"
}

[[ $(id -u):$(id -g):$(id -un) == 1000:1000:agent ]] || fail "runs as $(id)"
[[ $PWD == /workspace ]] || fail "stands in $PWD"
[[ $(getent passwd agent | cut -d: -f6) == /home/agent ]] || fail 'the home of agent is not /home/agent'
for folder in /workspace /home/agent; do [[ $(stat -c %u "$folder") == 1000 ]] || fail "$folder does not belong to the agent"; done
[[ $LANG == C.UTF-8 && $(locale charmap) == UTF-8 ]] || fail "the characters are $(locale charmap)"

for tool in bash sh env awk base64 bzip2 cat chmod cmp cp curl cut date diff file find flock git grep gzip head hostname jq kill \
  less ln ls make mkdir mktemp mv node openssl patch pgrep pkill ps python3 readlink rg rm scp sed sleep sort ssh ssh-keygen stat \
  stty tail tar tee test timeout tmux touch tr uniq unzip wc which xargs xz zstd; do
  command -v "$tool" >/dev/null || fail "$tool is missing"
done
try node '^v24\.' node --version
try 'node, its features' '^ok$' node -e 'require("node:sqlite"); new Intl.DateTimeFormat("de").format(); console.log("ok")'
try tmux '^tmux 3\.' tmux -V
try git '^git version 2\.' git --version
try 'git at work' '1 file changed' bash -c 'cd "$(mktemp -d)" && export HOME=$PWD && git init -q && echo a >a && git add a &&
  git -c user.name=a -c user.email=a@a commit -qm a --date=2020-01-01 && git show --stat'
try python3 '^2$' python3 -c 'print(1 + 1)'
try jq '^2$' jq -n '1 + 1'
try rg 'root' rg root /etc/passwd
try make '^a' make -f <(printf 'a:\n\t@echo a\n')
try 'curl, its protocols' 'https' curl --version
try awk '^2$' awk 'BEGIN { print 1 + 1 }'
try file 'ELF' file -L /usr/bin/bash
try ssh 'OpenSSH' ssh -V
for program in gzip bzip2 xz zstd; do try "$program" '^text$' bash -c "echo text | $program -c | $program -dc"; done
try 'the certificates' '^ok$' node -e '
  const text = require("node:fs").readFileSync("/etc/ssl/certs/ca-certificates.crt", "utf8");
  const found = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  for (const one of found) new (require("node:crypto").X509Certificate)(one);
  console.log(found.length > 100 ? "ok" : found.length);'
[[ -z $(find / -xdev -type f -perm /6000 -print -quit 2>/dev/null) ]] || fail 'there are programs that raise rights'
[[ -z $(find / -xdev \( -type f -o -type d \) -writable ! -path '/proc/*' ! -path '/tmp*' ! -path '/var/tmp*' ! -path '/home/agent*' \
  ! -path '/workspace*' ! -path '/dev/*' -print -quit 2>/dev/null) ]] || fail 'the agent may write to the system'

# The kit, used as in an image that has nothing else.
case "$(uname -m)" in x86_64) loader=ld-linux-x86-64.so.2 ;; *) loader=ld-linux-aarch64.so.1 ;; esac
kit() { "/opt/qd/lib/$loader" --library-path /opt/qd/lib "/opt/qd/bin/$1" "${@:2}"; }
for program in node tmux perl sh stty env cat; do
  "/opt/qd/lib/$loader" --library-path /opt/qd/lib --list "/opt/qd/bin/$program" | grep -E 'not found|=> /(usr|lib)' &&
    fail "$program of the kit needs libraries from outside of it"
done
try "the kit's node" '^v24\.' kit node --version
try "the kit's perl" '^ok 30$' kit perl -e 'socket(my $a, 1, 1, 0) or die; print "ok " . length pack "x30"'
try "the kit's sh" '^ok$' kit sh -c 'echo ok'
export TERMINFO=/opt/qd/share/terminfo LOCPATH=/opt/qd/lib/locale LC_ALL=C.UTF-8
try "the kit's tmux" '^tmux 3\.' kit tmux -V
kit tmux -S /tmp/check.sock -f /dev/null new-session -d -x 80 -y 24 -s a cat &&
  kit tmux -S /tmp/check.sock send-keys -t a -l 'grün 漢字' &&
  for _ in {1..100}; do
    screen=$(kit tmux -S /tmp/check.sock capture-pane -p -t a)
    [[ $screen == *漢字* ]] && break
    sleep 0.1
  done
[[ ${screen:-} == *'grün 漢字'* ]] || fail "the kit's tmux shows ${screen:-nothing}"
kit tmux -S /tmp/check.sock kill-server
for entry in xterm-256color tmux-256color screen-256color; do
  [[ -e /opt/qd/share/terminfo/${entry:0:1}/$entry ]] || fail "the kit does not know the terminal $entry"
done
[[ -d /opt/qd/guests ]] || fail 'the kit has no place for the guests'

((wrong == 0)) && echo 'content is right'
exit "$wrong"
