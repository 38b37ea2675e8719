#!/usr/bin/env bash
# Makes the tree of a Debian trixie for arm64 as a tar: root-tree.sh OUT.tar
# Beside it are the list of its packages (OUT.tar.packages) and the day on which the newest of them was made (OUT.tar.date).
#
# Programs are installed by mmdebstrap, their scripts run by qemu. Kernel and firmware are unpacked only: their scripts take minutes under
# qemu and make what the image does not use. The kernel is that of trixie-backports, because trixie's has no driver for the Pi 5's SD card.
# rauc needs squashfs-tools to tell what is in a bundle of the format "plain".
set -eu -o pipefail
out=$1
: "${SOURCE_DATE_EPOCH:?}"
export DEBIAN_FRONTEND=noninteractive

PROGRAMS=(
  systemd systemd-sysv udev dbus libnss-myhostname systemd-resolved systemd-timesyncd iproute2 kmod iwd wireless-regdb
  e2fsprogs dosfstools fdisk libstdc++6 openssh-server tzdata rauc rauc-service squashfs-tools
)
COMPONENTS='main non-free-firmware'

debian=$("$(dirname "$0")/mirror.sh" debian)
security=$("$(dirname "$0")/mirror.sh" debian-security)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"

cat >"$work/backports" <<'P'
Package: src:linux src:linux-signed-arm64 src:linux-base
Pin: release n=trixie-backports
Pin-Priority: 900
P

# Runs in mmdebstrap, with its apt: $1 is the tree.
cat >"$work/unpack" <<'H'
#!/usr/bin/env bash
set -eu -o pipefail
root=$1 list=$2 debs=$3 date=$4
export APT_CONFIG=$MMDEBSTRAP_APT_CONFIG
dependency() { apt-cache depends "$1" | awk -v wanted="$2" '$1 == "Depends:" && $2 ~ wanted { print $2 }'; }
kernel=$(dependency linux-image-arm64 '^linux-image-' | head -n 1)
packages="$kernel $(dependency "$kernel" '^linux-(base|binary|modules)-[0-9]') raspi-firmware firmware-brcm80211 busybox-static"
mkdir "$debs" && chmod 755 "$debs" && cd "$debs"
apt-get download -q $packages >/dev/null
for file in *.deb; do
  dpkg-deb --fsys-tarfile "$file" | tar -x --keep-directory-symlink -C "$root" --exclude='./usr/share/bug/*' \
    --exclude='./usr/share/lintian/*' --exclude='./usr/share/man/*'
  dpkg-deb --showformat='${Package} ${Version} ${source:Package}\n' --show "$file" >>"$list"
done
chroot "$root" dpkg-query -W -f='${Package} ${Version} ${source:Package}\n' >>"$list"
# Files keep the time of their package: Debian's are made with that of its changelog, or an older one.
{
  cat "$root"/var/lib/dpkg/info/*.list
  for file in *.deb; do dpkg-deb --fsys-tarfile "$file" | tar -t; done
} | sed -n 's|^\.\{0,1\}/\(usr/.\)|\1|p' | sort -u |
  (cd "$root" && TZ=UTC xargs -d '\n' stat -c '%F %y' 2>/dev/null || :) | sed -n 's/^regular file \([-0-9]*\) .*/\1/p' | sort | tail -n 1 >"$date"
H

# Keys of the SSH server are made by each machine. Empty ones spare openssh-server the making, which takes a minute under qemu.
cat >"$work/no-keys" <<'H'
#!/bin/sh
mkdir -p "$1/etc/ssh"
for kind in rsa ecdsa ed25519; do : >"$1/etc/ssh/ssh_host_${kind}_key"; done
H
chmod 755 "$work/unpack" "$work/no-keys"
: >"$work/packages"

# 70debconf asks all packages for their questions before apt unpacks them: five minutes under qemu, and nobody to answer.
excluded=(--dpkgopt='path-exclude=/usr/lib/udev/hwdb.d/*' --dpkgopt='path-exclude=/etc/apt/apt.conf.d/70debconf')
for path in doc man info locale lintian bug bash-completion zsh; do excluded+=(--dpkgopt="path-exclude=/usr/share/$path/*"); done

nice mmdebstrap --mode=root --variant=apt --architectures=arm64 --components="$COMPONENTS" \
  --include="$(IFS=,; echo "${PROGRAMS[*]}")" \
  --aptopt='Apt::Install-Recommends "false"' --aptopt='Acquire::Languages "none"' \
  --dpkgopt='force-unsafe-io' "${excluded[@]}" --dpkgopt='path-include=/usr/share/doc/*/copyright' \
  --setup-hook="$work/no-keys \"\$1\"" \
  --setup-hook="install -D -m 644 $work/backports \"\$1/etc/apt/preferences.d/backports\"" \
  --customize-hook="$work/unpack \"\$1\" $work/packages $work/debs $work/date" \
  trixie "${out%.tar}.new.tar" \
  "deb $debian trixie $COMPONENTS" "deb $debian trixie-updates $COMPONENTS" "deb $debian trixie-backports $COMPONENTS" \
  "deb $security trixie-security $COMPONENTS"
sort "$work/packages" >"$out.packages"
grep -x '....-..-..' "$work/date" >"$out.date"
mv "${out%.tar}.new.tar" "$out"
