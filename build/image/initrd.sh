#!/usr/bin/env bash
# Makes the initrd: busybox, the drivers that a Pi or QEMU needs to find its root, and initrd-init: initrd.sh ROOT OUT
# Debian's own takes minutes under qemu and is ten times as large.
set -eu -o pipefail
root=$1 out=$2
kernel=$(ls "$root/usr/lib/modules")
modules=$root/usr/lib/modules/$kernel
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

APPLETS='sh mount umount modprobe cat echo sleep find xargs sort findfs switch_root mkdir tr sha256sum cut'
FILE_SYSTEMS='kernel/fs/(ext4|jbd2|mbcache)|kernel/lib/(crc16|libcrc32c)|kernel/(crypto|arch/arm64/crypto)/crc32c'
BUSES='regulator|gpio|pinctrl/(bcm|pinctrl-rp1|broadcom)|clk/(bcm|clk-rp1|clk-raspberrypi)|reset|phy/(broadcom|phy-generic)|dma/bcm|mailbox/bcm'
BUSES="$BUSES|pci/controller|soc/bcm|pmdomain/bcm|misc/rp1|mfd/(bcm|rasp)|irqchip|firmware/(rasp|bcm)|pwm/pwm-rasp|nvmem|rtc/rtc-pl031"
DISKS='mmc|virtio|nvme/host|usb/(host|common|core|dwc2|dwc3|phy|roles|storage)|scsi/(sd_mod|scsi_mod|scsi_common)|block/virtio_blk'
WATCHDOGS='watchdog/(bcm2835|i6300)'
OTHERS='exynos|imx|keystone|meson|layer|qcom|tegra|histb|kirin|hisi|mobiveil|cadence|plda|mtk|mvebu|rcar|orion|renesas|rockchip|sunxi|thunder|zynq'
OTHERS="$OTHERS|isp1|sl811|fotg|oxu|tifm|toshsd|cb710|alcor|rtsx|ushc|vub300|tmio|armmmci|msm|esdhc|xenon|acpi|regulator/(mt6|max|tps|axp|da9|bd[79]|rk8|s2m|pca|rt[0-9]|wm8|mc13|lp8|pf8)"

mkdir -p "$work"/{bin,dev,proc,sys,run,newroot} "$work/usr/lib/modules/$kernel"
ln -s usr/lib "$work/lib"
cp "$root/usr/bin/busybox" "$work/bin/busybox"
for applet in $APPLETS; do ln -s busybox "$work/bin/$applet"; done
install -m 755 "$(dirname "$0")/initrd-init" "$work/init"

[ -e "$modules/modules.dep" ] || depmod -b "$root" "$kernel"
cp "$modules"/modules.{order,builtin} "$work/usr/lib/modules/$kernel/"
find "$modules/kernel" -name '*.ko*' -printf 'kernel/%P\n' | grep -E "kernel/drivers/($BUSES|$DISKS|$WATCHDOGS)|$FILE_SYSTEMS" | grep -vE "$OTHERS" >"$work/wanted"
# With all that they depend on.
awk -F'[: ]+' 'NR == FNR { needs[$1] = $0; next } { queue[++last] = $1 }
  END { for (i = 1; i <= last; i++) { m = queue[i]; if (seen[m]++) continue; print m
    n = split(needs[m], d, /[: ]+/); for (j = 2; j <= n; j++) if (d[j] != "") queue[++last] = d[j] } }' \
  "$modules/modules.dep" "$work/wanted" | sort -u >"$work/list"
while read -r module; do
  mkdir -p "$work/usr/lib/modules/$kernel/${module%/*}"
  xz -dc "$modules/$module" >"$work/usr/lib/modules/$kernel/${module%.xz}"
done <"$work/list"
rm "$work/wanted" "$work/list"
depmod -b "$work" "$kernel"
rm -f "$work/usr/lib/modules/$kernel"/modules.{symbols,order,devname,weakdep,softdep}* "$work/usr/lib/modules/$kernel"/modules.*.bin.tmp
find "$work" -exec touch -hd "@$SOURCE_DATE_EPOCH" {} +
(cd "$work" && find . -print0 | sort -z | cpio --null -o -H newc --reproducible -R 0:0 --quiet) | zstd -q -19 -T2 >"$out"
