// Version 3: what a received QoS 2 message is known by, so that another one under its packet identifier is told from a repetition.

/** DIGEST adds it. 0 = written by an older version. */
export const DIGEST = `
ALTER TABLE incoming ADD COLUMN digest INTEGER NOT NULL DEFAULT 0;
`;
