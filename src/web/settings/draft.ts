// The text of the configuration as somebody edits it: by hand, or one setting at a time. Nothing of it is in force.

import { computed, type Signal, signal } from '@preact/signals';
import type { Answer } from '../api/answer.ts';
import { api, ask } from '../api/client.ts';
import type { paths } from '../api/schema.ts';
import { type Known, type Said, withPort } from './setting-form.ts';
import { noteWaiting } from './trial.ts';

type Configuration = Answer<'/api/v1/configuration'>;
type Checked = paths['/api/v1/configuration/check']['post']['responses'][200]['content']['application/json'];

/** A text is checked when nothing was typed for so long. */
const TYPING_MS = 400;

/** Draft lives as long as its view. */
export class Draft {
  /** Null = it is not read so far. */
  readonly current: Signal<Configuration | null> = signal(null);
  readonly known: Signal<readonly Known[]> = signal([]);
  readonly text: Signal<string> = signal('');
  /** What the draft says. */
  readonly said: Signal<readonly Said[]> = signal([]);
  /** What the box says of the draft; null = it is asked. */
  readonly checked: Signal<Checked | null> = signal(null);
  /** Why the configuration could not be read. */
  readonly problem: Signal<Error | null> = signal(null);
  readonly isChanged = computed(() => this.current.value !== null && this.text.value !== this.current.value.text);
  #timer: ReturnType<typeof setTimeout> | null = null;
  /** Answers may overtake each other: the latest counts. */
  #turn = 0;

  /** read takes the text that is in the file now. A draft that somebody has begun stays, unless `isFresh`. */
  async read(isFresh: boolean): Promise<void> {
    try {
      const [sent, known] = await Promise.all([
        api.GET('/api/v1/configuration'),
        this.known.value.length > 0 ? this.known.value : ask(api.GET('/api/v1/configuration/known-settings')),
      ]);
      const current = await ask(Promise.resolve(sent));
      const isUntouched = isFresh || !this.isChanged.value;
      noteWaiting(current.unconfirmed, sent.response);
      this.known.value = known;
      this.current.value = current;
      this.problem.value = null;
      if (isUntouched) this.text.value = current.text;
      await this.#check();
    } catch (error) {
      this.problem.value = error as Error; // ask throws nothing else
    }
  }

  /** type takes a text in that somebody is typing. */
  type(text: string): void {
    this.text.value = text;
    this.checked.value = null;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#check().catch(() => {}), TYPING_MS); // the next letter asks again
  }

  /** set changes one setting in the text, as a person would. Throws Refusal or Unreachable, and the text stays. */
  async set(name: string, values: readonly string[], listener: string | null): Promise<void> {
    const body = { text: this.text.value, changes: [{ name, values: [...values], listener }] };
    const { text, settings } = await ask(api.POST('/api/v1/configuration/edits', { body }));
    this.text.value = text;
    this.said.value = settings;
    await this.#check();
  }

  /** moveListener gives the listener of a line another port. Throws Refusal or Unreachable. */
  async moveListener(line: number, port: string): Promise<void> {
    this.text.value = withPort(this.text.value, line, port);
    await this.#check();
  }

  /** discard goes back to what is in the file. */
  discard(): void {
    this.type(this.current.value?.text ?? '');
  }

  async #check(): Promise<void> {
    const turn = ++this.#turn;
    const text = this.text.value;
    const [checked, { settings }] = await Promise.all([
      ask(api.POST('/api/v1/configuration/check', { body: { text } })),
      ask(api.POST('/api/v1/configuration/edits', { body: { text } })),
    ]);
    if (turn !== this.#turn) return;
    this.checked.value = checked;
    this.said.value = settings;
  }
}
