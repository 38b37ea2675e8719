// The package for arm64 on Debian 12: that on Debian 13 is in test/machine/.

import { test } from 'node:test';
import { foreignPackageObstacle, useForeignPackage } from '../machine/foreign-package.ts';

test('package for arm64 is installed, upgraded, removed and purged on Debian bookworm', { skip: foreignPackageObstacle }, (context) =>
  useForeignPackage(context, 'bookworm'),
);
