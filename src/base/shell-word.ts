// A word in a command that is shown to be pasted into a shell.

/** shellWord quotes a text so that a shell takes it as one word: it may come from the network. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
