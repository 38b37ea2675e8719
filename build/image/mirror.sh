#!/bin/sh
# Prints the mirror of Debian that this machine uses, or that of security updates: mirror.sh debian|debian-security
set -eu
list=$(cat /etc/apt/sources.list.d/*.sources /etc/apt/sources.list 2>/dev/null || :)
found=$(printf '%s\n' "$list" | sed -n 's/^URIs: *\([^ ]*\).*/\1/p; s/^deb \(\[[^]]*\] \)\{0,1\}\([^ ]*\).*/\2/p' | grep -E "/$1/?\$" | head -n 1 || :)
echo "${found:-http://deb.debian.org/$1}"
