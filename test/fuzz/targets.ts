// Everything that can be fuzzed, one row each.

import type { Target } from './target.ts';
import { ACL_FILE, PASSWORD_FILE } from './targets/access-files.ts';
import { BACKUP } from './targets/backup.ts';
import { CONFIGURATION } from './targets/configuration.ts';
import { CONVERSATIONS } from './targets/conversations.ts';
import { DATABASE } from './targets/database.ts';
import { DECODER } from './targets/decoder.ts';
import { DYNAMIC_SECURITY_COMMANDS, DYNAMIC_SECURITY_FILE } from './targets/dynamic-security.ts';
import { HTTP_API } from './targets/http-api.ts';
import { MDNS } from './targets/mdns.ts';
import { MOSQUITTO_DATABASE } from './targets/mosquitto-database.ts';
import { PROXY_HEADER } from './targets/proxy-header.ts';
import { WEBSOCKET } from './targets/websocket.ts';

/** AnyTarget is a target whose inputs only it knows. */
// biome-ignore lint/suspicious/noExplicitAny: input and subject of one row fit each other, and nobody else looks at them
export type AnyTarget = Target<any>;

/** TARGETS in the order of a run. */
export const TARGETS: readonly AnyTarget[] = [
  DECODER,
  CONVERSATIONS,
  WEBSOCKET,
  PROXY_HEADER,
  MDNS,
  CONFIGURATION,
  PASSWORD_FILE,
  ACL_FILE,
  DYNAMIC_SECURITY_FILE,
  DYNAMIC_SECURITY_COMMANDS,
  HTTP_API,
  MOSQUITTO_DATABASE,
  DATABASE,
  BACKUP,
];
