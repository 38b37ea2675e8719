// Version 5: the last transition of a phone is found by an index of transitions only, which are few. Without it, locations of days were read for each phone.

/** TRANSITIONS adds the index; 1 is the place of 'transition' in LOCATION_KINDS. */
export const TRANSITIONS = `
CREATE INDEX location_transition ON location (phone, at) WHERE kind = 1;
`;
