// The package for arm64 on Debian 13, which the image is made of.

import { test } from 'node:test';
import { foreignPackageObstacle, useForeignPackage } from './foreign-package.ts';

test('package for arm64 is installed, upgraded, removed and purged on Debian trixie', { skip: foreignPackageObstacle }, (context) =>
  useForeignPackage(context, 'trixie'),
);
