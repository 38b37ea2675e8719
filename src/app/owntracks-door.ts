// What HTTP mode of OwnTracks and clients of its Recorder get of the running broker.

import type { OwnTracksDoor } from '../api/ports.ts';
import { mayReadAs, mayReadOf } from '../operations/location-sight.ts';
import type { OperationNeeds } from '../operations/needs.ts';
import { OwnTracksPosts } from '../operations/owntracks-post.ts';
import { addressOf, faceOf, lastOf, monitorOf, namesOf, recorded, recordsOf } from '../operations/recorder.ts';
import type { Appliance } from './app.ts';
import type { PhoneWatch } from './phone-watch.ts';
import { remoteEndOf } from './sign-in-log.ts';

/** ownTracksDoor makes it; `needs` are what the operations get. */
export function ownTracksDoor(
  phones: PhoneWatch,
  needs: () => OperationNeeds,
  appliance: Pick<Appliance, 'listeners' | 'refusals' | 'throttle'>,
): OwnTracksDoor {
  const posts = new OwnTracksPosts();
  return {
    refused({ username, address, listener }) {
      const reason = appliance.throttle.isHeld(address, username)
        ? ({ cause: 'held' } as const)
        : ({ cause: 'credentials', what: 'wrong' } as const);
      appliance.refusals.refused({ reason, from: remoteEndOf(appliance, address, listener), clientId: '', username, topicName: null });
    },
    async post(post, { address, hasTls }) {
      phones.noteSignIn(post.username, hasTls);
      appliance.refusals.posted(post.username, remoteEndOf(appliance, address, post.listener));
      return posts.take(needs(), post);
    },
    sightOf(who) {
      return (topicName) => ('right' in who ? mayReadOf(needs(), who) : mayReadAs(needs(), who))(topicName); // the rules of the moment
    },
    last: (mayRead, wanted) => lastOf(needs(), mayRead, wanted),
    names: (mayRead, wanted) => namesOf(needs(), mayRead, wanted),
    records: (mayRead, wanted, period) => recordsOf(needs(), mayRead, wanted, period),
    monitor: (mayRead) => monitorOf(needs(), mayRead),
    address: (mayRead, place) => addressOf(needs(), mayRead, place),
    face: (mayRead, user) => faceOf(needs(), mayRead, user),
    follow(mayRead, deliver) {
      const { locations } = needs();
      if (locations === null) return () => {};
      return locations.live.onChange(({ phone, record }) => {
        if (record === null || record.kind === 'transition' || !mayRead(phone.topic)) return;
        const fields = recorded({ ...phone, last: record }, mayRead);
        if (fields !== null) deliver(fields);
      });
    },
  };
}
