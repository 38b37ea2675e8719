// The text of the configuration as somebody edits it: by hand, or one setting at a time. Nothing of it is in force.

import { computed, type Signal, signal } from '@preact/signals';
import type { Answer } from '../api/answer.ts';
import { api, ask } from '../api/client.ts';
import type { paths } from '../api/schema.ts';
import { mergeTexts } from './merge-texts.ts';
import { isPageGone, type Known, movedPage, type Said, withPort } from './setting-form.ts';
import { noteWaiting } from './trial.ts';

type Configuration = Answer<'/api/v1/configuration'>;
type Checked = paths['/api/v1/configuration/check']['post']['responses'][200]['content']['application/json'];

/** A text is checked when nothing was typed for so long. */
const TYPING_MS = 400;

/** Draft outlives its view where something was changed in it. */
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
  /** Somebody is typing into a field of the form, and the text does not have it so far. */
  readonly isTyping: Signal<boolean> = signal(false);
  /** What somebody else changed in the file while this draft was being made: nothing, something else, or the same place. The draft has it, too. */
  readonly others: Signal<'nothing' | 'something' | 'same place'> = signal('nothing');
  readonly isChanged = computed(() => this.current.value !== null && (this.isTyping.value || this.text.value !== this.current.value.text));
  /** Where this page is once the draft is in force; null = where it is now, or the page does not know. */
  readonly movedTo = computed(() => movedPage(this.#saidNow.value, this.said.value, location));
  /** The listener of this page goes, and nobody can tell where the page is then. */
  readonly isPageGone = computed(() => this.movedTo.value === null && isPageGone(this.#saidNow.value, this.said.value, location));
  /** What the file says. */
  readonly #saidNow: Signal<readonly Said[]> = signal([]);
  #timer: ReturnType<typeof setTimeout> | null = null;
  /** Answers may overtake each other: the latest counts. */
  #turn = 0;
  /** Settings are changed one after the other: each in the text that the one before gave. */
  #edits: Promise<void> = Promise.resolve();
  /** Counts what is typed into the text itself: it ends the edits that are on their way. */
  #typed = 0;
  /** Counts what is typed into fields of the form. */
  #keys = 0;
  readonly #begin: (text: string) => string;

  /** `begin` gives what the draft is at first, of the text that is in the file. */
  constructor(begin: (text: string) => string = (text) => text) {
    this.#begin = begin;
  }

  /** read takes the text that is in the file now. A draft that somebody has begun is put onto it, or goes if `isFresh`. */
  async read(isFresh: boolean): Promise<void> {
    try {
      const [sent, known] = await Promise.all([
        api.GET('/api/v1/configuration'),
        this.known.value.length > 0 ? this.known.value : ask(api.GET('/api/v1/configuration/known-settings')),
      ]);
      const current = await ask(Promise.resolve(sent));
      const [before, isUntouched] = [this.current.value, isFresh || !this.isChanged.value];
      noteWaiting(current.unconfirmed, sent.response);
      this.known.value = known;
      this.current.value = current;
      this.problem.value = null;
      if (before === null || isUntouched) {
        this.others.value = 'nothing';
        this.#take(this.#begin(current.text));
      } else if (before.text !== current.text) this.#putOnto(before.text, current.text);
      await this.#check();
    } catch (error) {
      this.problem.value = error as Error; // ask throws nothing else
    }
  }

  /** type takes a text in that somebody is typing. */
  type(text: string): void {
    this.#take(text);
    this.checked.value = null;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#check().catch(() => {}), TYPING_MS); // the next letter asks again
  }

  /** typing is told when somebody types into a field of the form: what the box said is about another text. */
  typing(): void {
    this.#keys++;
    this.isTyping.value = true;
    this.checked.value = null;
  }

  /** typedNothing is told when what was typed changes nothing, or cannot be set. */
  async typedNothing(): Promise<void> {
    this.isTyping.value = false;
    if (this.checked.value === null) await this.#check().catch(() => {}); // the next letter asks again
  }

  /** set changes one setting in the text, as a person would. Throws Refusal or Unreachable, and the text stays. */
  set(name: string, values: readonly string[], listener: string | null): Promise<void> {
    const [typed, keys] = [this.#typed, this.#keys];
    const change = { name, values: [...values], listener };
    const edit = this.#edits.then(() => (typed === this.#typed ? this.#edit(change, keys) : undefined));
    this.#edits = edit.catch(() => {}); // whoever called it is told
    return edit;
  }

  /** moveListener gives the listener of a line another port. Throws Refusal or Unreachable. */
  async moveListener(line: number, port: string): Promise<void> {
    this.#take(withPort(this.text.value, line, port));
    await this.#check();
  }

  /** discard goes back to what is in the file. */
  discard(): void {
    this.others.value = 'nothing';
    this.type(this.current.value?.text ?? '');
  }

  /** applied is told that the draft is what the file holds now, for the time being: the box may not be there to be asked. */
  applied(revision: string): void {
    if (this.current.value !== null) this.current.value = { ...this.current.value, text: this.text.value, revision };
    this.#saidNow.value = this.said.value;
    this.others.value = 'nothing';
  }

  #putOnto(before: string, theirs: string): void {
    const { text, isSamePlace } = mergeTexts(this.text.value, before, theirs);
    this.others.value = isSamePlace || this.others.value === 'same place' ? 'same place' : 'something';
    this.checked.value = null; // the diff of before has theirs as removed
    this.#take(text);
  }

  #take(text: string): void {
    this.#typed++;
    this.isTyping.value = false;
    this.text.value = text;
  }

  async #edit(change: { name: string; values: string[]; listener: string | null }, keys: number): Promise<void> {
    const typed = this.#typed;
    const { text, settings } = await ask(api.POST('/api/v1/configuration/edits', { body: { text: this.text.value, changes: [change] } }));
    if (typed !== this.#typed) return;
    this.text.value = text;
    this.said.value = settings;
    if (keys === this.#keys) this.isTyping.value = false;
    await this.#check();
  }

  async #check(): Promise<void> {
    const turn = ++this.#turn;
    const text = this.text.value;
    const [checked, { settings }] = await Promise.all([
      ask(api.POST('/api/v1/configuration/check', { body: { text } })),
      ask(api.POST('/api/v1/configuration/edits', { body: { text } })),
    ]);
    if (turn !== this.#turn) return;
    this.checked.value = this.isTyping.value ? null : checked;
    this.said.value = settings;
    if (text === this.current.value?.text) this.#saidNow.value = settings;
  }
}
