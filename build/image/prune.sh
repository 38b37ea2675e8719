#!/usr/bin/env bash
# Takes out of a root tree what neither a Pi nor this appliance uses: prune.sh ROOT. Half of the image is kernel modules.
set -eu -o pipefail
root=$1
kernel=$(ls "$root/usr/lib/modules")
modules=$root/usr/lib/modules/$kernel

# Modules that stay, of those folders that go as a whole.
KEEP=(
  drivers/net/ethernet/broadcom/genet drivers/net/ethernet/cadence drivers/net/wireless/broadcom drivers/net/wireless/realtek/rtl8xxxu
  drivers/net/wireless/ralink drivers/net/wireless/mediatek/mt76
  drivers/scsi/scsi_mod drivers/scsi/scsi_common drivers/scsi/sd_mod
  drivers/rtc/rtc-pl031 drivers/rtc/rtc-ds1307 drivers/rtc/rtc-pcf8563 drivers/rtc/rtc-pcf85063 drivers/rtc/rtc-rv3028 drivers/rtc/rtc-ds3232
  drivers/rtc/rtc-rpi
  drivers/hwmon/raspberrypi-hwmon drivers/hwmon/pwm-fan drivers/hwmon/gpio-fan drivers/hwmon/hwmon
  drivers/leds/leds-gpio drivers/input/keyboard/gpio_keys drivers/input/evdev drivers/regulator/fixed drivers/regulator/gpio-regulator
)
KEEP_PATTERN='drivers/(gpio|pinctrl|clk|phy|dma|thermal|mfd|char|pwm|nvmem)/.*(bcm|rp1|brcm|rasp|phy-generic|iproc)'
DRIVERS='accel ata auxdisplay bluetooth cdx char/tpm clk comedi crypto dma edac firewire fpga gnss gpio gpu greybus hsi hv hwmon iio infiniband
  input interconnect ipack isdn leds macintosh media memstick message mfd most mtd mux nfc ntb parport pcmcia peci perf phy pinctrl platform power
  powercap rapidio regulator remoteproc rpmsg rtc scsi siox slimbus soundwire spmi staging target tee thermal thunderbolt ufs vdpa vfio vhost video
  vlynq w1 xen net/arcnet net/can net/dsa net/ethernet net/fddi net/fjes net/hamradio net/hyperv net/ieee802154 net/plip net/thunderbolt
  net/wireless net/wwan'
FILE_SYSTEMS='9p adfs affs afs befs bfs btrfs cachefiles ceph coda dlm ecryptfs efs erofs exfat f2fs freevxfs gfs2 hfs hfsplus isofs jffs2 jfs lockd minix
  netfs nfs nfsd nilfs2 ntfs3 ocfs2 omfs orangefs qnx4 qnx6 romfs smb ubifs udf ufs vboxsf xfs zonefs'
PROTOCOLS='6lowpan 9p appletalk atm ax25 batman-adv bluetooth caif can ceph dccp decnet dsa hsr ieee802154 ife kcm l2tp lapb mac802154 mctp mpls mptcp
  netrom nfc openvswitch phonet psample qrtr rds rose rxrpc sctp smc sunrpc tipc vmw_vsock x25 xfrm'

kept=$(mktemp -d)
trap 'rm -rf "$kept"' EXIT
(
  cd "$modules/kernel"
  {
    for each in "${KEEP[@]}"; do find "$each" "$each".ko* -name '*.ko*' 2>/dev/null || :; done
    find drivers -name '*.ko*' | grep -E "$KEEP_PATTERN"
  } | sort -u | cpio -pdm --quiet "$kept"
  for each in $DRIVERS; do rm -rf "drivers/$each"; done
  for each in $FILE_SYSTEMS; do rm -rf "fs/$each"; done
  for each in $PROTOCOLS; do rm -rf "net/$each"; done
  rm -rf sound
)
cp -a "$kept/." "$modules/kernel/"
rm -rf "$modules"/{dtb,vmlinuz,System.map,config,build,source}
depmod -b "$root" "$kernel"

# On the boot partition now, or nowhere.
rm -rf "$root/usr/lib/raspi-firmware" "$root"/usr/lib/linux-image-* "${root:?}"/boot/*
mkdir -p "$root/boot/firmware"
# Wi-Fi firmware of the Pis only.
firmware=$root/usr/lib/firmware
find "$firmware/brcm" -mindepth 1 ! -name 'brcmfmac4343[0-9]*-sdio*' ! -name 'brcmfmac4345[56]-sdio*' -delete
find "$firmware/cypress" -mindepth 1 ! -name 'cyfmac43430*' ! -name 'cyfmac43455*' -delete
ln -sf regulatory.db-debian "$firmware/regulatory.db"
ln -sf regulatory.db.p7s-debian "$firmware/regulatory.db.p7s"

# Nothing is installed here any more: the packages are listed beside the image. Licences stay.
rm -rf "$root"/usr/bin/{apt,apt-*,dpkg,dpkg-*} "$root"/usr/sbin/dpkg-* "$root"/usr/lib/{apt,dpkg} "$root"/usr/share/dpkg
rm -f "$root"/usr/lib/*/libapt-*.so*
# There is one user who signs in, root with a key: nobody becomes another one, and no program lends its rights. D-Bus starts services by systemd.
rm -f "$root"/usr/bin/{su,newgrp,sg,chfn,chsh,gpasswd,passwd,chage,expiry}
find "$root" -xdev -type f -perm /6000 -exec chmod ug-s {} +
find "$root/usr/share/doc" -type f ! -name copyright -delete
rm -rf "$root"/usr/share/{man,info,lintian,locale,i18n,bash-completion,zsh,pixmaps,bug,debconf,perl5} "$root"/usr/lib/python3*
rm -rf "$root/usr/lib/udev/hwdb.bin" "$root"/etc/{apt,kernel,initramfs-tools}

# Rules for devices that are of no use here: each costs time at every boot, for every device.
rules=$root/usr/lib/udev/rules.d
rm -f "$rules"/{60-autosuspend,60-cdrom_id,60-dmi-id,60-evdev,60-fido-id,60-infiniband,60-input-id,60-persistent-alsa,60-persistent-hidraw}.rules
rm -f "$rules"/{60-persistent-input,60-persistent-storage-mtd,60-persistent-storage-tape,60-persistent-v4l,60-sensor,60-tpm-udev,64-btrfs}.rules
rm -f "$rules"/{65-integration,70-camera,70-joystick,70-memory,70-mouse,70-power-switch,70-touchpad,71-seat,73-seat-late,75-probe_mtd}.rules
rm -f "$rules"/{78-sound-card,90-iocost,90-image-dissect,96-e2scrub}.rules

# The root keeps an empty skeleton of /var; the data partition begins with the same.
find "$root/var" -mindepth 1 -delete
mkdir -p "$root"/var/{backups,cache,lib/systemd,local,log,mail,opt,spool}
mkdir -m 1777 "$root/var/tmp"
ln -s /run "$root/var/run"
ln -s /run/lock "$root/var/lock"
