#!/bin/sh
# Makes the agent image out of unpacked Debian packages: users, links, certificates, and the kit (see below).
# Run for both ways of making it: with the new root as $1 while it is put together outside, with / inside a build.
# Safe to run where the packages' own scripts have done some of it already.
set -eu
root=${1%/}
node=$root/opt/qd/bin/node
[ -x "$node" ] || { echo "Node is missing at $node" >&2; exit 1; }

# --- The system around the agent -----------------------------------------------------------------------------------------
for folder in dev etc/ssl/certs home/agent mnt proc root run sys tmp usr/local/bin var/tmp workspace; do mkdir -p "$root/$folder"; done
chmod 1777 "$root/tmp" "$root/var/tmp"
grep -qs '^root:' "$root/etc/passwd" || printf 'root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n' >"$root/etc/passwd"
grep -qs '^root:' "$root/etc/group" || printf 'root:x:0:\nnogroup:x:65534:\n' >"$root/etc/group"
grep -q '^agent:' "$root/etc/passwd" || printf 'agent:x:1000:1000:agent:/home/agent:/bin/bash\n' >>"$root/etc/passwd"
grep -q '^agent:' "$root/etc/group" || printf 'agent:x:1000:\n' >>"$root/etc/group"
[ -e "$root/etc/nsswitch.conf" ] || printf 'passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n' >"$root/etc/nsswitch.conf"
# What the packages' own scripts would have chosen.
link() { [ -e "$root/usr/bin/$2" ] || ln -s "$1" "$root/usr/bin/$2"; }
link dash sh
link mawk awk
link which.debianutils which
ln -sfn /opt/qd/bin/node "$root/usr/local/bin/node"
if [ ! -s "$root/etc/ssl/certs/ca-certificates.crt" ]; then
  cat "$root"/usr/share/ca-certificates/mozilla/*.crt >"$root/etc/ssl/certs/ca-certificates.crt"
fi
rm -rf "$root"/usr/share/doc/* "$root"/usr/share/man/* "$root"/usr/share/info "$root"/usr/share/locale/* "$root"/usr/share/lintian
# Nothing in an agent's box may raise its rights; the engine forbids it as well.
find "$root/usr" -xdev -type f -perm /6000 -exec chmod ug-s {} +

# --- The kit: /opt/qd ------------------------------------------------------------------------------------------------------
# Node, tmux, Perl (the interpreter alone) and a few small tools with the loader and all libraries they need. The engine copies it into a volume, which is
# mounted read-only at the same place into any other image, so that it must need nothing of the image around it:
# every program in it is started as  LOADER --library-path /opt/qd/lib /opt/qd/bin/PROGRAM.
kit=$root/opt/qd
rm -rf "$kit/lib" "$kit/share"
mkdir -p "$kit/bin" "$kit/lib" "$kit/guests" "$kit/share/terminfo" "$kit/lib/locale"
for program in tmux perl dash stty cat env; do cp -L "$root/usr/bin/$program" "$kit/bin/$program"; done
mv -f "$kit/bin/dash" "$kit/bin/sh"

case "$(uname -m)" in
  x86_64) loader=ld-linux-x86-64.so.2 triplet=x86_64-linux-gnu ;;
  aarch64 | arm64) loader=ld-linux-aarch64.so.1 triplet=aarch64-linux-gnu ;;
  *) echo "There is no kit for $(uname -m)." >&2; exit 1 ;;
esac
libraries=$root/usr/lib/$triplet:$root/lib/$triplet:$root/lib:$root/lib64
for folder in "$root/usr/lib/$triplet" "$root/lib/$triplet" "$root/lib64" "$root/usr/lib64" "$root/lib"; do
  if [ -e "$folder/$loader" ]; then cp -L "$folder/$loader" "$kit/lib/$loader"; break; fi
done
# The loader itself says what each program needs, and where it found it.
for program in "$kit"/bin/*; do
  "$kit/lib/$loader" --library-path "$libraries" --list "$program" | while read -r name arrow path rest; do
    # The loader names itself with its path; it is there already.
    case "$arrow $name" in '=> '*/*) continue ;; '=> '*) ;; *) continue ;; esac
    [ "$path" != 'not' ] || { echo "$program needs $name, which is not there ($rest)" >&2; exit 1; }
    case "$path" in "${root:-/}"*) ;; *) echo "$program would take $path, from outside of the image" >&2; exit 1 ;; esac
    [ -e "$kit/lib/$name" ] || cp -L "$path" "$kit/lib/$name"
  done
done
chmod 755 "$kit"/lib/*.so* "$kit"/bin/*

for entry in ansi dumb linux screen screen-256color tmux tmux-256color vt100 vt220 xterm xterm-color xterm-256color; do
  for folder in "$root/usr/share/terminfo" "$root/lib/terminfo" "$root/usr/lib/terminfo" "$root/etc/terminfo"; do
    file=$folder/$(printf %.1s "$entry")/$entry
    if [ -e "$file" ]; then
      mkdir -p "$kit/share/terminfo/$(printf %.1s "$entry")"
      cp -L "$file" "$kit/share/terminfo/$(printf %.1s "$entry")/$entry"
      break
    fi
  done
done
for folder in "$root/usr/lib/locale/C.utf8" "$root/usr/lib/locale/C.UTF-8"; do
  if [ -d "$folder" ]; then cp -RL "$folder" "$kit/lib/locale/C.utf8"; break; fi
done
for needed in "lib/$loader" lib/libc.so.6 lib/locale/C.utf8/LC_CTYPE share/terminfo/t/tmux-256color share/terminfo/x/xterm-256color; do
  [ -e "$kit/$needed" ] || { echo "The kit lacks $needed" >&2; exit 1; }
done
