// The rows of mosquitto.conf(5) about plugins: shared libraries for mosquitto's own insides, which nothing else can load.

import { type Directive, refused } from '../directive.ts';

const INSTEAD = 'plugins of mosquitto cannot be loaded; use password_file, or username and password';

/** PLUGIN_DIRECTIVES load and set up mosquitto's plugins. */
export const PLUGIN_DIRECTIVES: readonly Directive[] = [
  refused('plugin', 'plugin', 'path', INSTEAD, { aliases: ['auth_plugin'], doc: 'Loads a plugin.' }),
  refused('global_plugin', 'plugin', 'path', INSTEAD, { doc: 'Loads a plugin for all listeners.' }),
  refused('plugin_load', 'plugin', 'name path', INSTEAD, { doc: 'Loads a plugin to use by name.' }),
  refused('plugin_use', 'plugin', 'name', INSTEAD, { doc: 'Uses a loaded plugin for a listener.' }),
  refused('plugin_opt_*', 'plugin', 'value', INSTEAD, { aliases: ['auth_opt_*'], doc: 'Settings of a plugin.' }),
  refused('auth_plugin_deny_special_chars', 'plugin', 'true | false', INSTEAD, {
    doc: 'Refuses ids and user names with + and # before a plugin sees them.',
  }),
];
