-- Version 1: the tables, empty.

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
) STRICT;

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
) STRICT;

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
  packet_id INTEGER NOT NULL,
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
) STRICT, WITHOUT ROWID;
