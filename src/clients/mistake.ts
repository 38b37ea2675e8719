// A wrong word on the command line of pub or sub, in mosquitto's sentence.

/** ClientMistake ends the program with status 1; the hint to the help is added where it is caught. */
export class ClientMistake extends Error {
  override readonly name = 'ClientMistake';
  /** mosquitto puts an empty line behind some of its sentences. */
  readonly blankLine: boolean;
  /** False where mosquitto does not send people to the help. */
  readonly hint: boolean;

  constructor(message: string, options: { blankLine?: boolean; hint?: boolean } = {}) {
    super(message);
    this.blankLine = options.blankLine ?? false;
    this.hint = options.hint ?? true;
  }
}
