#!/usr/bin/env bash
# Makes an update of the card's systems: bundle.sh WORK VERSION OUT.raucb CERTIFICATE.pem KEY.pem
# WORK has boot.fat and root.ext4 of partitions.sh. RAUC signs, and a box that trusts the certificate's authority takes it (rootfs/etc/rauc/system.conf).
# COMPATIBLE names another kind of machine, COMPRESSION a level of zstd.
set -eu -o pipefail
work=$1 version=$2 out=$(realpath -m "$3") certificate=$(realpath "$4") key=$(realpath "$5")
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d "$work/bundle.XXXXXX")
trap 'rm -rf "$folder"' EXIT

cp --sparse=always "$work/boot.fat" "$folder/boot.vfat"
cp --sparse=always "$work/root.ext4" "$folder/root.ext4"
install -m 755 "$here/bundle-hook" "$folder/hook"
cat >"$folder/manifest.raucm" <<M
[update]
compatible=${COMPATIBLE:-$(sed -n 's/^compatible=//p' "$here/../../rootfs/etc/rauc/system.conf")}
version=$version

[bundle]
format=plain

[hooks]
filename=hook

[image.rootfs]
filename=root.ext4

[image.boot]
filename=boot.vfat
hooks=post-install
M
rm -f "$out"
rauc bundle --cert="$certificate" --key="$key" --mksquashfs-args="-comp zstd -Xcompression-level ${COMPRESSION:-15} -quiet -no-progress" "$folder" "$out" >&2
