// The package for arm64 on each Debian that it is for, under emulation. That for this machine's architecture is in test/machine/.

import { test } from 'node:test';
import { RELEASES } from '../machine/debian.ts';
import { foreignPackageObstacle, useForeignPackage } from './foreign-package.ts';

for (const release of RELEASES) {
  test(`package for arm64 is installed, upgraded, removed and purged on Debian ${release}`, { skip: foreignPackageObstacle }, (context) =>
    useForeignPackage(context, release),
  );
}
