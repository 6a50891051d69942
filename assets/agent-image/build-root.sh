#!/bin/bash
# Puts the agent image's files together from Debian packages, without a registry, a chroot or root's rights:
#   build-root.sh NODE-BINARY CACHE-FOLDER OUT.tar
# Packages come from wherever this machine's apt is configured to look, and are kept in the cache folder.
# Lines "::step N text" on standard output say how far it is, N in per cent.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
node=$1 cache=$2 out=$3
export LC_ALL=C
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$cache"
root=$work/root

echo "::step 2 Finding out which packages are needed"
mapfile -t wanted < <(grep -v '^#' "$here/packages.txt")
# As if nothing were installed: what comes out does not depend on what this machine has.
: >"$work/status"
apt=(apt-get -o "Dir::State::status=$work/status" -o Debug::NoLocking=1 -o APT::Sandbox::User=root -o Acquire::Retries=3)
"${apt[@]}" --no-install-recommends --simulate install "${wanted[@]}" >"$work/plan" 2>"$work/plan.err" || {
  cat "$work/plan" "$work/plan.err" >&2
  echo "apt cannot say which packages are needed; 'sudo apt-get update' usually mends it." >&2
  exit 1
}
# What only maintains a Debian system, or is large and not used: git's Perl parts.
skipped='^(adduser|debconf|dpkg|gcc-[0-9]+-base|init-system-helpers|passwd|perl|perl-modules-.*|libperl5.*|lib.*-perl|usrmerge)$'
mapfile -t packages < <(awk '$1 == "Inst" { gsub(/[(]/, "", $3); print $2 "=" $3 }' "$work/plan" | grep -Ev "${skipped/\$/=}" | sort)
((${#packages[@]} > 0)) || { cat "$work/plan" >&2; echo "apt named no packages." >&2; exit 1; }

missing=()
file_of() { # apt writes a version's colon as %3a.
  local name=${1%%=*} version=${1#*=}
  compgen -G "$cache/${name}_${version//:/%3a}_*.deb" | head -n 1 || true
}
for package in "${packages[@]}"; do [[ -n "$(file_of "$package")" ]] || missing+=("$package"); done
if ((${#missing[@]} > 0)); then
  echo "::step 5 Fetching ${#missing[@]} packages"
  # First beside the cache, then into it in one move: a download that was cut short is never taken for a package.
  mkdir -p "$cache/.new-$$"
  trap 'rm -rf "$work" "$cache/.new-$$"' EXIT
  (cd "$cache/.new-$$" && "${apt[@]}" -q download "${missing[@]}") >&2 || {
    echo "Packages could not be fetched; 'sudo apt-get update' mends lists that are too old." >&2
    exit 1
  }
  mv -f "$cache/.new-$$"/*.deb "$cache/"
fi

echo "::step 50 Unpacking ${#packages[@]} packages"
mkdir -p "$root"/usr/{bin,sbin,lib,lib64} "$root/opt/qd/bin"
for folder in bin sbin lib lib64; do ln -s "usr/$folder" "$root/$folder"; done
for package in "${packages[@]}"; do
  file=$(file_of "$package")
  [[ -n "$file" ]] || { echo "$package was fetched, but no file of it is there." >&2; exit 1; }
  dpkg-deb --fsys-tarfile "$file" | tar -x -C "$root" --no-same-owner --keep-directory-symlink \
    --exclude='./usr/share/doc/*' --exclude='./usr/share/man/*' --exclude='./usr/share/locale/*' --exclude='./usr/share/lintian'
done
install -m 755 "$node" "$root/opt/qd/bin/node"

echo "::step 80 Adding users, certificates and the kit"
sh "$here/finish.sh" "$root"
/sbin/ldconfig -r "$root" 2>/dev/null || ldconfig -r "$root"

echo "::step 90 Packing"
# Owners are written here, so that root's rights are not needed; the agent's own folders come last.
own=(--numeric-owner --sort=name)
tar -C "$root" "${own[@]}" --owner=0 --group=0 --exclude=./home/agent --exclude=./workspace -cf "$out" .
tar -C "$root" "${own[@]}" --owner=1000 --group=1000 -rf "$out" ./home/agent ./workspace
echo "::step 92 Packed"
