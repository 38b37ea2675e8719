// Version 2: the listener that a client came through last, by its name: with `per_listener_settings` its rules are those of that listener.

/** LISTENER adds it to sessions, and to those who published. NULL = written by version 1. */
export const LISTENER = `
ALTER TABLE session ADD COLUMN listener TEXT;
ALTER TABLE message ADD COLUMN source_listener TEXT;
ALTER TABLE retained ADD COLUMN source_listener TEXT;
`;
