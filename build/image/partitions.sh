#!/usr/bin/env bash
# Makes an image of WORK/firmware and WORK/root: partitions.sh WORK OUT.img
#
#   4 MB free | boot, FAT32 256 MB | root, ext4, as large as it must be | data, ext4 64 MB, grown to the card at boot
#
# MBR, because the Pi 3 and Zero 2 W boot from nothing else.
set -eu -o pipefail
work=$1 out=$2
export LC_ALL=C MTOOLS_SKIP_CHECK=1 MTOOLSRC=/dev/null TZ=UTC
export E2FSPROGS_FAKE_TIME=$SOURCE_DATE_EPOCH

DISK=4d494447 # PARTUUID in rootfs/etc/fstab and cmdline.txt
BOOT_MB=256
DATA_MB=64
ROOT_UUID=6d696467-6500-4000-8000-000000000002
DATA_UUID=6d696467-6500-4000-8000-000000000003

# e2fsprogs of Debian 12 writes the time of day into a file system; that of trixie does not. It runs from its unpacked package.
here=$(cd "$(dirname "$0")" && pwd)
TOOLS=$here/../../.cache/image/e2fsprogs
mke2fs_of_trixie() {
  if [ ! -e "$TOOLS/.complete" ]; then
    rm -rf "$TOOLS"
    mmdebstrap --quiet --mode=root --variant=extract --include=e2fsprogs \
      --aptopt='Apt::Install-Recommends "false"' trixie "$TOOLS" "$("$here/mirror.sh" debian)"
    touch "$TOOLS/.complete"
  fi
  local loader
  loader=$(find "$TOOLS/usr/lib" -name 'ld-linux-*.so.*' | head -n 1)
  "$loader" --library-path "$(dirname "$loader")" "$TOOLS/usr/sbin/mke2fs" "$@"
}

# ext4 FILE LABEL UUID MB RESERVED_PERCENT TREE. Blocks of 4 KiB: a small file system would get smaller ones, and keep them when it grows.
ext4() {
  truncate -s "$4M" "$1"
  mke2fs_of_trixie -q -F -t ext4 -b 4096 -I 256 -J size=16 -L "$2" -U "$3" -m "$5" \
    -E "hash_seed=$3,lazy_itable_init=0,lazy_journal_init=0,root_owner=0:0" -d "$6" "$1"
}

put() { dd if="$1" of="$out" bs=1M seek="$2" conv=notrunc,sparse status=none; }

# All of one time: the cached root tree may have been made at another commit.
find "$work/root" "$work/firmware" -exec touch -hd "@$SOURCE_DATE_EPOCH" {} +
# Blocks of files and folders, and room for what describes them. du(1) would count folders as this machine's file system does.
root_mb=$(find "$work/root" -printf '%y %s\n' | awk '{ blocks += $1 == "f" ? int(($2 + 4095) / 4096) : 1 } END { print int(blocks / 256 * 1.12) + 40 }')
root_mb=$(((root_mb + 3) / 4 * 4))

truncate -s ${BOOT_MB}M "$work/boot.fat"
mkfs.vfat --invariant -F 32 -n MIDGE-BOOT -i $DISK "$work/boot.fat" >/dev/null
# One by one in the order of their names: mcopy -s takes them as the file system gives them.
(
  cd "$work/firmware"
  find . -mindepth 1 -type d -printf '%P\n' | sort | while read -r path; do mmd -i "$work/boot.fat" "::/$path"; done
  find . -type f -printf '%P\n' | sort | while read -r path; do mcopy -pmQ -i "$work/boot.fat" "$path" "::/$path"; done
)
ext4 "$work/root.ext4" MIDGE-ROOT $ROOT_UUID $root_mb 0 "$work/root"
ext4 "$work/data.ext4" MIDGE-DATA $DATA_UUID $DATA_MB 1 "$work/root/var"

boot_at=4 root_at=$((4 + BOOT_MB)) data_at=$((4 + BOOT_MB + root_mb))
rm -f "$out"
truncate -s $((data_at + DATA_MB))M "$out"
sector() { echo $(($1 * 2048)); }
sfdisk -q --no-reread --no-tell-kernel "$out" <<T
label: dos
label-id: 0x$DISK
start=$(sector $boot_at), size=$(sector $BOOT_MB), type=c, bootable
start=$(sector $root_at), size=$(sector $root_mb), type=83
start=$(sector $data_at), size=$(sector $DATA_MB), type=83
T
put "$work/boot.fat" $boot_at
put "$work/root.ext4" $root_at
put "$work/data.ext4" $data_at
