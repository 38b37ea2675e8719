#!/usr/bin/env bash
# Makes dist/midge-VERSION-arm64.img.xz for Raspberry Pi 3, 4, 5 and Zero 2 W, with checksum, package list and bill of materials:
# build/image.sh [--with-program | --root-tree]
#
# --with-program makes the executables first; --root-tree makes nothing but the root tree, for the image that is made later.
#
#   Debian packages --root-tree.sh--> .cache/image/root.tar  (kept: nothing else takes minutes)
#   root.tar + rootfs/ + dist/midge-linux-arm64 --tree.sh--> root, firmware --initrd.sh--> initrd.img --partitions.sh--> the image
#
# With AUTHORITY=FILE.pem (else update-authority.pem of the checkout) the image takes updates signed under that certificate; with
# CERTIFICATE=FILE.pem and BUNDLE_KEY=FILE.pem, too, the update dist/midge-VERSION-arm64.raucb is made for cards that are in use.
#
# With BASE=FILE.img (or .img.xz) the same program goes onto a Raspberry Pi OS image instead: see overlay.sh.
# No Docker, no loop device, no mount. The same commit and package versions give the same bytes.
# Runs as root, because the files of the image belong to root; on Debian 12 and 13 it installs what it needs.
set -eu -o pipefail
cd "$(dirname "$0")/.."
here=$PWD/build/image
cache=$PWD/.cache/image

PACKAGES=(
  mmdebstrap qemu-user-static binfmt-support uidmap arch-test debian-archive-keyring
  fdisk dosfstools mtools e2fsprogs kmod cpio zip zstd xz-utils jq
  rauc squashfs-tools
)

say() { echo "image: $*" >&2; }

die() {
  echo "Cannot make the image: $*" >&2
  exit 1
}

install_packages() {
  local missing
  missing=$({ dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${PACKAGES[@]}" 2>/dev/null || :; } | sed -n 's/^installed //p' |
    sort | comm -13 - <(printf '%s\n' "${PACKAGES[@]}" | sort) | tr '\n' ' ') # dpkg-query fails when it knows one of them not at all
  [ -z "$missing" ] && return
  say "installing $missing"
  # shellcheck disable=SC2086 # words, not a name
  apt-get update -q >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing >/dev/null ||
    die "these packages could not be installed (apt-get says why above): ${missing% } - install them, and run it again"
}

# Programs of arm64 run by qemu, which the kernel must be told.
enable_arm64() {
  [ "$(dpkg --print-architecture)" = arm64 ] && return
  [ -e /proc/sys/fs/binfmt_misc/register ] || mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
  [ -e /proc/sys/fs/binfmt_misc/qemu-aarch64 ] || update-binfmts --enable qemu-aarch64
}

# Runs a command that takes minutes, and says every 15 seconds that it still does: during WHAT COMMAND ...
during() {
  local what=$1 began=$SECONDS
  shift
  (while sleep 15 2>/dev/null; do say "$what: $((SECONDS - began)) s"; done) >/dev/null &
  local clock=$! status=0
  "$@" || status=$?
  kill "$clock"
  wait "$clock" 2>/dev/null || :
  return "$status"
}

# The root tree is made again when its recipe has changed, or when Debian has newer packages: what has been mended meanwhile gets into the image.
root_tree() {
  local key made
  key=$(sha256sum "$here/root-tree.sh" | cut -c1-16)
  made=$cache/root-$key.tar
  if [ ! -e "$made" ] || has_newer_packages "$made"; then
    say 'making the root tree from Debian packages (some minutes)'
    during 'making the root tree' "$here/root-tree.sh" "$made" >&2 ||
      die "Debian's packages could not be fetched or installed (mmdebstrap says why above) - $(when_mirrors_answer)"
  fi
  echo "$made"
}

when_mirrors_answer() {
  echo "make sure that $("$here/mirror.sh" debian) and $("$here/mirror.sh" debian-security) answer, and run it again"
}

# A list of packages that nobody has checked goes into no image.
has_newer_packages() {
  local newer
  newer=$("$here/newer-packages.sh" "$1" "$1.packages" 2>"$cache/newer.log") ||
    die "Debian does not say which packages are the newest ($(sed -n 's/^E: //p' "$cache/newer.log" | head -n 1)) - $(when_mirrors_answer)"
  [ -z "$newer" ] && return 1
  say "Debian has newer packages:"
  echo "$newer" >&2
}

[ "$(id -u)" = 0 ] || die "only root may, because the image's files are root's - run: sudo make image"
[ "${1:-}" != --with-program ] || build/with.sh npm run --silent binary
[ "${1:-}" = --root-tree ] || [ -x dist/midge-linux-arm64 ] || die 'dist/midge-linux-arm64 is missing - run: make binary'
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH LC_ALL=C
[ -n "${AUTHORITY:-}" ] || [ ! -e update-authority.pem ] || export AUTHORITY=$PWD/update-authority.pem
install_packages
version=$(jq -r .version package.json)
mkdir -p "$cache" dist
if [ -n "${BASE:-}" ]; then
  exec "$here/overlay.sh" "$BASE" "dist/midge-$version-raspios.img"
fi
enable_arm64
started=$SECONDS
tree=$(root_tree)
[ "${1:-}" != --root-tree ] || exit 0
work=$(mktemp -d "$cache/work.XXXXXX")
trap 'rm -rf "$work"' EXIT
name=midge-$version-arm64

say "newest package of Debian: $(cat "$tree.date")"
say 'putting the tree together'
"$here/tree.sh" "$tree" dist/midge-linux-arm64 "$work" "$version"
"$here/initrd.sh" "$work/root" "$work/firmware/initrd.img"
"$here/prune.sh" "$work/root"
"$here/licences.sh" "$work/root" "$work/card"
say 'making partitions'
"$here/partitions.sh" "$work" "dist/$name.img"
rm -f "dist/$name.raucb"
if [ -n "${CERTIFICATE:-}" ]; then
  say 'making the update'
  "$here/bundle.sh" "$work" "$version" "dist/$name.raucb" "$CERTIFICATE" "${BUNDLE_KEY:?names the key of the certificate}"
fi
cp "$tree.packages" "dist/$name.packages"
build/with.sh node build/image/bill-of-materials.ts "dist/$name.packages" "$work/root/usr/share/doc" "dist/$name.spdx.json"
if [ -z "${NO_XZ:-}" ]; then
  say 'compressing (a minute)'
  during compressing xz -6 -T2 --keep --force "dist/$name.img"
  (cd dist && sha256sum "$name.img.xz" >"$name.img.xz.sha256")
fi
say "$((SECONDS - started)) s"
ls -lhs "dist/$name".* >&2
