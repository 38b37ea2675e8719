// The language of packets must be able to say no: what it builds, what it matches, and what it does not.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { canonical } from '../clients/wire-peer.ts';
import { hex, matches } from './hex-template.ts';

const of = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

describe('packet template', () => {
  it('builds lengths, strings, texts and repetitions', () => {
    assert.deepEqual(hex("30 [ 'ab' {} |x|*3 ]", 4), of('30 07 0002 6162 787878'));
    assert.deepEqual(hex("30 [ 'ab' {} |x|*3 ]", 5), of('30 08 0002 6162 00 787878'));
    assert.deepEqual(hex('30 [ 00*200 ]').subarray(0, 3), of('30 C8 01'));
    assert.deepEqual(hex('B0 [ 0001 5:11 3:22 ]', 4), of('B0 03 0001 22'));
    assert.deepEqual(hex('PROTOCOL', 3), of('0006 4D5149736470 03'));
  });

  it('matches properties in any order, but User Properties in theirs', () => {
    const connack = of('20 09 00 00 06 220005 210006');
    assert.ok(matches('20 [ 00 00 { 21 0006, 22 0005 } ]', connack));
    assert.ok(matches('20 [ 00 00 { 21 0006, ... } ]', connack));
    assert.ok(!matches('20 [ 00 00 { 21 0006 } ]', connack));
    assert.ok(!matches('20 [ 00 00 { 21 0007, ... } ]', connack));
    const user = hex("30 [ 't' { 26 'a' '1', 26 'b' '2' } ]");
    assert.ok(matches("30 [ 't' { 26 'a' '1', 26 'b' '2' } ]", user));
    assert.ok(!matches("30 [ 't' { 26 'b' '2', 26 'a' '1' } ]", user));
  });

  it('matches wildcards, alternatives and names, and nothing else', () => {
    assert.ok(matches('40 [ 00?? ]', of('40 02 0005')));
    assert.ok(!matches('40 [ 00?? ]', of('40 02 0105')));
    assert.ok(matches('E0 [ 81 ] or E0 [ 82 ]', of('E0 01 82')));
    assert.ok(!matches('E0 [ 81 ] or E0 [ 82 ]', of('E0 01 83')));
    assert.ok(matches("30 [ 'this or that' {} |or| ]", hex("30 [ 'this or that' {} |or| ]")));
    const bindings = new Map<string, Buffer>();
    assert.ok(!matches('40 [ @id 99 ]', of('40 02 0005'), 5, bindings));
    assert.equal(bindings.size, 0);
    assert.ok(matches('40 [ @id ]', of('40 02 0005'), 5, bindings));
    assert.ok(!matches('40 [ @id ]', of('40 02 0006'), 5, bindings));
    assert.deepEqual(hex('40 [ @id ]', 5, bindings), of('40 02 0005'));
  });

  it('does not match a packet that is longer or shorter', () => {
    assert.ok(!matches('D0 00', of('D0 00 00')));
    assert.ok(!matches('40 [ 0001 ]', of('40 03 0001 10')));
    assert.ok(!matches('40 [ 0001 10 ]', of('40 02 0001')));
  });

  it('shortens acknowledgements of MQTT 5 to their shortest form and leaves older ones alone', () => {
    assert.deepEqual(canonical(of('40 04 0001 00 00'), 5), of('40 02 0001'));
    assert.deepEqual(canonical(hex("40 [ 0001 10 { 1F 'none' } ]"), 5), of('40 03 0001 10'));
    assert.deepEqual(canonical(hex("40 [ 0001 10 { 26 'a' 'b' } ]"), 5), hex("40 [ 0001 10 { 26 'a' 'b' } ]"));
    assert.deepEqual(canonical(of('E0 02 8E 00'), 5), of('E0 01 8E'));
    assert.deepEqual(canonical(of('40 04 0001 00 00'), 4), of('40 04 0001 00 00'));
  });

  it('throws when a template cannot be read', () => {
    for (const template of ['30 [ 01', '{ 01', 'zz', '0', ']', '@id']) assert.throws(() => hex(template), /Cannot/);
  });
});
