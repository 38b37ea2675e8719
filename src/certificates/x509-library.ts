// The library of X.509, to be imported on demand. Its dependency injection needs reflect-metadata first.

import 'reflect-metadata';
import * as x509 from '@peculiar/x509';

export { x509 };
