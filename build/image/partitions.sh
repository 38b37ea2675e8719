#!/usr/bin/env bash
# Makes an image of WORK/card, WORK/firmware and WORK/root: partitions.sh WORK OUT.img
#
#   1 card, FAT32 256 MB: midge.txt, the report, and autoboot.txt, which names the partition that is started
#   2 boot A, 3 boot B, FAT32 128 MB each: firmware, kernel, board descriptions
#   4 extended: 5 root A, 6 root B, ext4 768 MB each | 7 data, ext4 64 MB, grown to the card at boot
#
# B is empty: the first update is written there. Nothing of this table can be changed on a card that is in use, but for the end of the last partition.
# MBR, because the Pi 3 and Zero 2 W boot from nothing else; what firmware reads is in its four primary entries.
# The card's partition comes first, because computers show the first one of a card, and older ones no other.
set -eu -o pipefail
work=$1 out=$2
export LC_ALL=C MTOOLS_SKIP_CHECK=1 MTOOLSRC=/dev/null TZ=UTC
export E2FSPROGS_FAKE_TIME=$SOURCE_DATE_EPOCH

DISK=4d494447 # PARTUUID in rootfs/etc/fstab, rootfs/etc/rauc/system.conf and cmdline.txt
CARD_MB=256
BOOT_MB=128
ROOT_MB=768
DATA_MB=64
GAP_MB=4 # before each logical partition: its own table is there
ROOT_UUID=6d696467-6500-4000-8000-000000000002
DATA_UUID=6d696467-6500-4000-8000-000000000003

# e2fsprogs of Debian 12 writes the time of day into a file system; that of trixie does not. It runs from its unpacked package.
here=$(cd "$(dirname "$0")" && pwd)
TOOLS=$here/../../.cache/image/e2fsprogs
mke2fs_of_trixie() {
  if [ ! -e "$TOOLS/.complete" ]; then
    rm -rf "$TOOLS"
    mmdebstrap --quiet --mode=root --variant=extract --include=e2fsprogs \
      --aptopt='Apt::Install-Recommends "false"' trixie "$TOOLS" "$("$here/mirror.sh" debian)" || {
      echo "Cannot make the image: e2fsprogs could not be fetched (mmdebstrap says why above) - make sure that $("$here/mirror.sh" debian) answers, and run it again" >&2
      exit 1
    }
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

# fat FILE LABEL MB TREE
fat() {
  truncate -s "$3M" "$1"
  mkfs.vfat --invariant -F 32 -n "$2" -i $DISK "$1" >/dev/null
  # One by one in the order of their names: mcopy -s takes them as the file system gives them.
  (
    cd "$4"
    find . -mindepth 1 -type d -printf '%P\n' | sort | while read -r path; do mmd -i "$1" "::/$path"; done
    find . -type f -printf '%P\n' | sort | while read -r path; do mcopy -pmQ -i "$1" "$path" "::/$path"; done
  )
}

# All of one time: the cached root tree may have been made at another commit.
find "$work/root" "$work/firmware" "$work/card" -exec touch -hd "@$SOURCE_DATE_EPOCH" {} +
work=$(realpath "$work")
fat "$work/card.fat" MIDGE-BOOT $CARD_MB "$work/card"
fat "$work/boot.fat" MIDGE-SLOT $BOOT_MB "$work/firmware"
ext4 "$work/root.ext4" MIDGE-ROOT $ROOT_UUID $ROOT_MB 0 "$work/root"
ext4 "$work/data.ext4" MIDGE-DATA $DATA_UUID $DATA_MB 1 "$work/root/var"

card_at=4
boot_a_at=$((card_at + CARD_MB))
boot_b_at=$((boot_a_at + BOOT_MB))
extended_at=$((boot_b_at + BOOT_MB))
root_a_at=$((extended_at + GAP_MB))
root_b_at=$((root_a_at + ROOT_MB + GAP_MB))
data_at=$((root_b_at + ROOT_MB + GAP_MB))
end=$((data_at + DATA_MB))
rm -f "$out"
truncate -s ${end}M "$out"
sector() { echo $(($1 * 2048)); }
sfdisk -q --no-reread --no-tell-kernel "$out" <<T
label: dos
label-id: 0x$DISK
start=$(sector $card_at), size=$(sector $CARD_MB), type=c, bootable
start=$(sector $boot_a_at), size=$(sector $BOOT_MB), type=c
start=$(sector $boot_b_at), size=$(sector $BOOT_MB), type=c
start=$(sector $extended_at), size=$(sector $((end - extended_at))), type=f
start=$(sector $root_a_at), size=$(sector $ROOT_MB), type=83
start=$(sector $root_b_at), size=$(sector $ROOT_MB), type=83
start=$(sector $data_at), size=$(sector $DATA_MB), type=83
T
put "$work/card.fat" $card_at
put "$work/boot.fat" $boot_a_at
put "$work/root.ext4" $root_a_at
put "$work/data.ext4" $data_at
