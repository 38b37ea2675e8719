#!/usr/bin/env bash
# Puts the program, its unit and midge.txt onto a Raspberry Pi OS image (arm64): overlay.sh BASE.img[.xz] OUT.img
#
# Raspberry Pi OS keeps its own root, network, accounts and logins; of rootfs/ it gets what PATHS names. No root, no mount: debugfs and mtools.
set -eu -o pipefail
base=$1 out=$2
here=$(cd "$(dirname "$0")" && pwd)
repository=$here/../..
export LC_ALL=C MTOOLS_SKIP_CHECK=1

die() {
  echo "Cannot put midge onto \"$base\": $*" >&2
  exit 1
}

# What Raspberry Pi OS gets of rootfs/.
units=etc/systemd/system
PATHS=(
  etc/midge usr/lib/sysusers.d/midge.conf
  "$units"/midge.service "$units"/midge.service.d "$units"/midge-boot.service "$units"/midge-report.{service,path,timer}
  "$units"/midge-upgrade.{service,path} "$units"/midge-upgrade.service.d
  "$units"/multi-user.target.wants/midge{,-boot,-report}.service "$units"/multi-user.target.wants/{midge-report.{path,timer},midge-upgrade.path}
)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
[ -e "$base" ] || die 'there is no such file'
case $base in
  *.xz) xz -dc "$base" >"$out" ;;
  *) cp --sparse=always "$base" "$out" ;;
esac

# Sectors of the partition: start, size.
place() { sfdisk -J "$out" | jq -r ".partitiontable.partitions[$1] | \"\(.start) \(.size)\""; }
[ "$(sfdisk -J "$out" 2>/dev/null | jq '.partitiontable.partitions | length')" = 2 ] || die 'it does not have the two partitions of Raspberry Pi OS'

mkdir "$work/tree"
(cd "$repository/rootfs" && tar -c --owner=0 --group=0 --mode='u=rwX,go=rX' "${PATHS[@]}") | tar -x -C "$work/tree"
# The network, the host name, logins and the screen are Raspberry Pi OS's business.
only() {
  install -D -m 644 /dev/stdin "$work/tree/$units/$1.d/10-raspios.conf" <<U
[Service]
ExecStart=
ExecStart=/usr/local/bin/midge boot $2
StandardOutput=journal
U
}
only midge-boot.service broker
only midge-report.service 'report broker'
install -D -m 755 "$repository/dist/midge-linux-arm64" "$work/tree/usr/local/bin/midge"

# The root partition grows by what comes in; resize2fs knows no offset, so it is a file of its own meanwhile.
more=$(($(du -sm --apparent-size "$work/tree" | cut -f1) * 11 / 10 + 64))
truncate -s "+${more}M" "$out"
echo ', +' | sfdisk -q --no-reread --no-tell-kernel -N 2 "$out"
read -r boot_start _ < <(place 0)
read -r root_start root_size < <(place 1)
dd if="$out" of="$work/root" bs=1M skip=$((root_start * 512)) count=$((root_size * 512)) iflag=skip_bytes,count_bytes conv=sparse status=none
truncate -s $((root_size * 512)) "$work/root"
e2fsck -fy "$work/root" >/dev/null 2>&1 || [ $? -le 1 ] || die 'its root file system is damaged'
resize2fs -f "$work/root" >/dev/null 2>&1

# Folders that are there already stay as they are.
is_there() { debugfs -R "stat \"$1\"" "$work/root" 2>/dev/null | grep -q Inode:; }
commands() {
  cd "$work/tree"
  find . -mindepth 1 -type d -printf '/%P\n' | sort | while read -r path; do
    is_there "$path" || printf 'mkdir "%s"\nsif "%s" mode 040755\n' "$path" "$path"
  done
  find . -type f -printf '%m /%P\n' | sort -k2 | while read -r mode path; do
    printf 'rm "%s"\nwrite "%s" "%s"\nsif "%s" mode 010%04d\nsif "%s" uid 0\nsif "%s" gid 0\n' \
      "$path" "$work/tree$path" "$path" "$path" "$mode" "$path" "$path"
  done
  find . -type l -printf '/%P %l\n' | sort | while read -r path target; do printf 'rm "%s"\nsymlink "%s" "%s"\n' "$path" "$path" "$target"; done
}
commands >"$work/commands"
debugfs -w -f "$work/commands" "$work/root" >"$work/log" 2>&1
e2fsck -fn "$work/root" >"$work/fsck" 2>&1 || die "its root file system would be damaged: $(tail -n 3 "$work/fsck")"
[ "$(debugfs -R 'stat /usr/local/bin/midge' "$work/root" 2>/dev/null | sed -n '/^User:/s/.*Size: *//p')" = "$(stat -c %s "$repository/dist/midge-linux-arm64")" ] ||
  die "the program did not fit: $(grep -v '^debugfs' "$work/log" | tail -n 3)"
dd if="$work/root" of="$out" bs=1M seek=$((root_start * 512)) oflag=seek_bytes conv=notrunc,sparse status=none
mcopy -o -i "$out@@$((boot_start * 512))" "$repository/rootfs/boot/firmware/midge.txt" ::/
echo "image: $out ($(du -m --apparent-size "$out" | cut -f1) MB)" >&2
