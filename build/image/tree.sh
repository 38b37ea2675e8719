#!/usr/bin/env bash
# Lays out WORK/root, the read-only root, WORK/firmware, what its slot is started from, and WORK/card, the partition that people edit:
# tree.sh ROOT.tar PROGRAM WORK VERSION
# AUTHORITY=FILE.pem is the certificate under which updates are signed; without it the image takes only those that its owner trusts.
set -eu -o pipefail
tar=$1 program=$2 work=$3 version=$4
rootfs=$(cd "$(dirname "$0")/../../rootfs" && pwd)
root=$work/root firmware=$work/firmware card=$work/card
mkdir "$root" "$firmware" "$card"
tar -xf "$tar" -C "$root" --exclude='./dev/*'

# What rootfs/ and dist/ bring. Links in it say which units run.
(cd "$rootfs" && tar -c --owner=0 --group=0 --mode='u=rwX,go=rX' --mtime="@$SOURCE_DATE_EPOCH" --exclude=./boot .) | tar -x -C "$root" --keep-directory-symlink
install -D -m 755 "$program" "$root/usr/local/bin/midge"
install -m 644 "${AUTHORITY:-/dev/null}" "$root/etc/rauc/keyring.pem"
chroot "$root" systemd-sysusers 2>/dev/null
ln -sfn /run/systemd/resolve/stub-resolv.conf "$root/etc/resolv.conf"
ln -sfn /run/midge-boot/localtime "$root/etc/localtime"
: >"$root/etc/machine-id" # made anew at each boot; the initrd binds one of the board's serial number over it
rm -f "$root"/etc/ssh/ssh_host_* "$root"/etc/hostname "$root"/etc/shadow- "$root"/etc/passwd- "$root"/etc/group- "$root"/etc/gshadow-
echo midge >"$root/etc/hostname"
# os-release(5): `midge status` says how old the system is.
printf 'IMAGE_ID=midge\nIMAGE_VERSION=%s\nMIDGE_PACKAGES_DATE=%s\n' "$version" "$(cat "$tar.date")" >>"$root/usr/lib/os-release"
touch -d "@$SOURCE_DATE_EPOCH" "$root/usr/lib/clock-epoch" # no clock starts earlier than this

# The slot: the Pi's own firmware, kernel, board descriptions.
kernel=$(ls "$root/usr/lib/modules")
cp -r "$root/usr/lib/raspi-firmware/." "$firmware/"
rm -f "$firmware"/*_db.* "$firmware"/*4db.* "$firmware"/*_x.* "$firmware"/*4x.* "$firmware"/*_cd.* "$firmware"/*4cd.*
boards=$root/usr/lib/modules/$kernel/dtb/broadcom
[ -d "$boards" ] || boards=$root/usr/lib/linux-image-$kernel/broadcom
cp "$boards"/bcm27*.dtb "$boards"/bcm2837*.dtb "$firmware/"
image=$root/usr/lib/modules/$kernel/vmlinuz
[ -e "$image" ] || image=$root/boot/vmlinuz-$kernel
cp "$image" "$firmware/vmlinuz"
cp "$rootfs"/boot/slot/* "$firmware/"

# The card. The boot ROM of the Pi 3 and Zero 2 W takes bootcode.bin from the first partition, and that reads autoboot.txt.
cp "$rootfs"/boot/firmware/* "$card/"
cp "$firmware/bootcode.bin" "$card/"
