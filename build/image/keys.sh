#!/usr/bin/env bash
# Makes what updates of the card are signed with: keys.sh FOLDER
#
#   authority.pem    goes into the image (AUTHORITY), and its key authority.key to a safe place: it signs the next certificate
#   release.pem, release.key    sign the updates (CERTIFICATE, BUNDLE_KEY)
# Each authority has a name of its own: of two with one name OpenSSL finds only the first, and a box may trust several.
set -eu
mkdir -p -m 700 "$1"
cd "$1"
[ ! -e authority.pem ] || exit 0
umask 077
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 10950 -subj "/CN=midge updates $(openssl rand -hex 4)" -keyout authority.key -out authority.pem 2>/dev/null
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/CN=midge release' -keyout release.key -out release.csr 2>/dev/null
openssl x509 -req -in release.csr -CA authority.pem -CAkey authority.key -CAcreateserial -days 3650 -out release.pem 2>/dev/null
rm release.csr
