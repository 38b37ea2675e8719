// The library of ACME, to be imported on demand.

import * as acme from 'acme-client';

export { acme };
