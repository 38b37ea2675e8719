#!/usr/bin/env bash
# Prints which packages of a root tree Debian has newer, a line `NAME VERSION NEWEST` for each: newer-packages.sh ROOT.tar PACKAGES
# ROOT.tar and PACKAGES are those of root-tree.sh; the sources and preferences of apt are in ROOT.tar. Fails where Debian
# cannot be asked, with apt's reasons in lines that begin with "E: "; a mirror that is silent for PATIENCE_SECONDS counts as away.
set -eu -o pipefail
tar=$1 packages=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export LC_ALL=C

mkdir -p "$work"/{lists/partial,cache}
tar -xf "$tar" -C "$work" ./etc/apt
cat >"$work/apt.conf" <<C
APT::Architecture "arm64";
APT::Architectures { "arm64"; };
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "1";
Acquire::http::Timeout "${PATIENCE_SECONDS:-20}";
Dir::Etc::sourcelist "$work/etc/apt/sources.list";
Dir::Etc::sourceparts "$work/etc/apt/sources.list.d/";
Dir::Etc::preferences "$work/etc/apt/preferences";
Dir::Etc::preferencesparts "$work/etc/apt/preferences.d/";
Dir::State::lists "$work/lists/";
Dir::State::status "/dev/null";
Dir::Cache "$work/cache/";
C
export APT_CONFIG=$work/apt.conf
apt-get update -q -o APT::Update::Error-Mode=any >&2

# NAME NEWEST of each; the newest kernel is a package of another name, that linux-image-arm64 depends on.
newest() {
  cut -d ' ' -f 1 "$packages" | xargs apt-cache policy | awk '/^[^ ].*:$/ { name = substr($1, 1, length($1) - 1) } $1 == "Candidate:" { print name, $2 }'
}
kernel() { apt-cache depends linux-image-arm64 | awk '$1 == "Depends:" && $2 ~ /^linux-image-/ { print $2 }' | head -n 1; }

newest | sort >"$work/newest"
cut -d ' ' -f 1,2 "$packages" | sort | join - "$work/newest" | while read -r name have candidate; do
  if dpkg --compare-versions "$have" lt "$candidate"; then echo "$name $have $candidate"; fi
done
kernel=$(kernel)
if [ -n "$kernel" ] && ! cut -d ' ' -f 1 "$packages" | grep -qxF "$kernel"; then
  echo "$kernel - $(apt-cache policy "$kernel" | sed -n 's/^ *Candidate: //p')"
fi
