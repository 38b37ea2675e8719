-- Version 4: where phones were.

CREATE TABLE session (
  id INTEGER PRIMARY KEY,
  client_id TEXT NOT NULL UNIQUE,
  username TEXT,
  version INTEGER NOT NULL,
  expiry_interval INTEGER NOT NULL,
  disconnected_at INTEGER,
  will_topic TEXT,
  will_payload BLOB,
  will_qos INTEGER,
  will_retain INTEGER,
  will_properties BLOB
, listener TEXT) STRICT;

CREATE TABLE subscription (
  session INTEGER NOT NULL,
  topic_filter TEXT NOT NULL,
  mounted_filter TEXT NOT NULL,
  share_group TEXT,
  qos INTEGER NOT NULL,
  no_local INTEGER NOT NULL,
  retain_as_published INTEGER NOT NULL,
  identifier INTEGER NOT NULL,
  PRIMARY KEY (session, topic_filter)
) STRICT, WITHOUT ROWID;

CREATE TABLE message (
  key INTEGER PRIMARY KEY,
  topic_name TEXT NOT NULL,
  payload BLOB NOT NULL,
  qos INTEGER NOT NULL,
  retain INTEGER NOT NULL,
  properties BLOB NOT NULL,
  expires_at INTEGER NOT NULL,
  source_client_id TEXT,
  source_username TEXT
, source_listener TEXT) STRICT;

CREATE TABLE delivery (
  session INTEGER NOT NULL,
  position INTEGER NOT NULL,
  message INTEGER NOT NULL,
  qos INTEGER NOT NULL,
  retain INTEGER NOT NULL,
  shared INTEGER NOT NULL,
  identifiers TEXT,
  packet_id INTEGER NOT NULL,
  state INTEGER NOT NULL,
  PRIMARY KEY (session, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE incoming (
  session INTEGER NOT NULL,
  packet_id INTEGER NOT NULL, digest INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (session, packet_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE retained (
  topic_name TEXT PRIMARY KEY,
  key INTEGER NOT NULL,
  payload BLOB NOT NULL,
  qos INTEGER NOT NULL,
  retain INTEGER NOT NULL,
  properties BLOB NOT NULL,
  expires_at INTEGER NOT NULL,
  source_client_id TEXT,
  source_username TEXT
, source_listener TEXT) STRICT, WITHOUT ROWID;

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

PRAGMA application_id = 0x4d494447;
PRAGMA user_version = 4;

INSERT INTO session VALUES (1, 'phone', 'jane', 5, 3600, 1760000000000, 'home/phone', x'676f6e65', 1, 0, x'', NULL);
INSERT INTO session VALUES (2, 'lamp', NULL, 4, 4294967295, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO subscription VALUES (1, 'home/#', 'home/#', NULL, 1, 0, 0, 0);
INSERT INTO message VALUES (7, 'home/door', x'6f70656e', 1, 0, x'', 0, 'door', NULL, NULL);
INSERT INTO delivery VALUES (1, 1, 7, 1, 0, 0, NULL, 0, 0);
INSERT INTO incoming VALUES (2, 9, 0);
INSERT INTO retained VALUES ('home/light', 8, x'6f6e', 0, 1, x'', 0, 'lamp', 'jane', NULL);
INSERT INTO phone VALUES (1, 'owntracks/jane/phone');
INSERT INTO location VALUES (1, 1760000000000, 0, 900, 525166000, 133777000, 4.5, NULL, NULL, NULL, NULL, 80, 1, 'JA', 'u', 'w', NULL);
INSERT INTO location VALUES (1, 1760000100000, 1, 900, 525166000, 133777000, 9, NULL, NULL, NULL, NULL, NULL, NULL, 'JA', 'c', NULL, '{"event":"enter"}');
