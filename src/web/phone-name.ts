// Which names of people can have phones: a name is a level of the topics of a phone, and a part of its user name.

/** As the box has it. */
const PERSON = /^[\p{L}\p{N}_][\p{L}\p{N}_.-]{0,63}$/u;

/** canHavePhone tells whether phones can belong to somebody of a name. */
export function canHavePhone(name: string): boolean {
  return PERSON.test(name);
}

/** nameForPhone offers one in the place of a name that can't have phones: its first word that is any good, in small letters; null = there is none. */
export function nameForPhone(name: string): string | null {
  const words = name.split(/\s+/).map((word) => word.replaceAll(/[^\p{L}\p{N}_.-]/gu, '').replace(/^[.-]+/, ''));
  const word = words.find((each) => each !== '');
  return word === undefined ? null : [...word.toLowerCase()].slice(0, 64).join('');
}
