// What a phone may read and write, as rules of an ACL file: its own branch, and the locations of those who share theirs with it.

import { type PhoneName, topicOf } from './phone.ts';

/** PhoneRule is a line of an ACL file. */
export interface PhoneRule {
  readonly kind: 'topic';
  readonly access: 'read' | 'write' | 'readwrite';
  readonly filter: string;
}

/**
 * ownTracksRules: the phone writes its location, events, waypoints and card, and reads its commands, all below its own topic. Of each
 * friend, and of its person's other devices, it reads location, transitions and card: never waypoints, commands or dumps.
 */
export function ownTracksRules(phone: PhoneName, friends: Iterable<string>): readonly PhoneRule[] {
  const people = [...new Set([phone.person, ...friends])];
  return [rule('readwrite', `${topicOf(phone)}/#`), ...people.flatMap(sharedBy)];
}

/** sharedBy are the rules by which a phone sees a person on its map. */
function sharedBy(person: string): readonly PhoneRule[] {
  const base = `owntracks/${person}/+`;
  return [rule('read', base), rule('read', `${base}/event`), rule('read', `${base}/info`)];
}

function rule(access: PhoneRule['access'], filter: string): PhoneRule {
  return { kind: 'topic', access, filter };
}

/** Member is a person with the groups in which locations are shared. */
export interface Member {
  readonly person: string;
  readonly groups: readonly string[];
}

/** friendsOf gives the people who share a group with somebody, in the order of their names. */
export function friendsOf(person: string, members: readonly Member[]): readonly string[] {
  const groups = new Set(members.filter((each) => each.person === person).flatMap((each) => each.groups));
  const friends = members.filter((each) => each.person !== person && each.groups.some((group) => groups.has(group)));
  return [...new Set(friends.map((each) => each.person))].sort();
}
