// The rows of mosquitto.conf(5) about plugins: shared libraries for mosquitto's own insides, which nothing else can load.

import { type Directive, globalDirective, refused, withoutEffect } from '../directive.ts';
import { boolean, text } from '../values.ts';

const INSTEAD = 'plugins of mosquitto cannot be loaded; use password_file and acl_file';

/** What these do is built in: `plugin_opt_password_file` and `plugin_opt_acl_file` are other names of our own words, and so are those of dynamic security. */
const BUILT_IN = ['mosquitto_password_file.so', 'mosquitto_acl_file.so'];
const PLUGIN = { ...text('path'), syntax: 'plugin of mosquitto' };
const DYNAMIC_SECURITY = 'mosquitto_dynamic_security.so';

/** PLUGIN_DIRECTIVES load and set up mosquitto's plugins. */
export const PLUGIN_DIRECTIVES: readonly Directive[] = [
  builtIn('plugin', ['auth_plugin'], 'Loads a plugin.'),
  builtIn('global_plugin', [], 'Loads a plugin for all listeners.'),
  refused('plugin_load', 'plugin', 'name path', INSTEAD, { doc: 'Loads a plugin to use by name.' }),
  refused('plugin_use', 'plugin', 'name', INSTEAD, { doc: 'Uses a loaded plugin for a listener.' }),
  refused('plugin_opt_*', 'plugin', 'value', INSTEAD, { aliases: ['auth_opt_*'], doc: 'Settings of a plugin.' }),
  withoutEffect(
    'auth_plugin_deny_special_chars',
    'plugin',
    boolean,
    'there are no plugins; the patterns of acl_file are never for a client whose name holds + or #',
    { default: 'true', doc: 'Refuses ids and user names with + and # before a plugin sees them.' },
  ),
];

/** builtIn is a word that is taken for the plugins whose work midge does itself, and refused for others. */
function builtIn(name: string, aliases: readonly string[], doc: string): Directive {
  const row = globalDirective(name, PLUGIN, { aliases, repeatable: true, doc }, (draft, path) => {
    if (path.endsWith(DYNAMIC_SECURITY)) draft.access.dynamicSecurityPlugin = name;
    else if (!BUILT_IN.some((plugin) => path.endsWith(plugin))) return { problem: `Cannot use ${name}`, hint: INSTEAD };
    return undefined;
  });
  return { ...row, scope: 'plugin' };
}
