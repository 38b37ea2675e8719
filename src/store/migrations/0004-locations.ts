// Version 4: where phones were.
//
//   phone 1 --- n location      in the order of phone and time: a day of one phone lies together, and is read straight through
//
// Degrees are whole numbers of 1e-7, four bytes each; numbers that are whole take one or two bytes as REAL also.

/** LOCATIONS adds the tables. Times are milliseconds since 1970; `delay` is how much later it was received, `kind` a place in LOCATION_KINDS. */
export const LOCATIONS = `
CREATE TABLE phone (
  id INTEGER PRIMARY KEY,
  topic TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE location (
  phone INTEGER NOT NULL,
  at INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  delay INTEGER NOT NULL,
  lat INTEGER,
  lon INTEGER,
  acc REAL,
  alt REAL,
  vac REAL,
  vel REAL,
  cog REAL,
  batt REAL,
  bs REAL,
  tid TEXT,
  t TEXT,
  conn TEXT,
  details TEXT,
  PRIMARY KEY (phone, at, kind)
) STRICT, WITHOUT ROWID;
`;
