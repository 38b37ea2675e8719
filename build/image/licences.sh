#!/usr/bin/env bash
# Puts the licence texts of everything in the image into it, and as licences.zip onto its boot partition: licences.sh ROOT FIRMWARE
# Windows opens a zip file without more, and can't read the other partitions.
set -eu -o pipefail
root=$1 firmware=$2
export TZ=UTC

doc=$root/usr/share/doc
mkdir -p "$doc/midge"
build/with.sh node build/licences.ts >"$doc/midge/copyright"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{packages,common-licenses}
for file in "$doc"/*/copyright; do
  package=${file%/copyright}
  cp "$file" "$work/packages/${package##*/}.txt"
done
for file in "$root"/usr/share/common-licenses/*; do cp -L "$file" "$work/common-licenses/${file##*/}.txt"; done
cat >"$work/README.txt" <<'T'
The licences of everything on this card. packages/ has a file for each package of Debian, and midge.txt for midge itself with what it contains.
Texts that many packages share are in common-licenses/.
T
find "$work" -exec touch -hd "@$SOURCE_DATE_EPOCH" {} +
rm -f "$firmware/licences.zip"
archive=$(realpath "$firmware")/licences.zip
(cd "$work" && find . -type f -printf '%P\n' | sort | zip -q -X -9 -@ "$archive")
