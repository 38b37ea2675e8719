// What the broker counts: plain numbers, added to on the message path, read by the $SYS tree. Bytes and messages since start.

/** Counters are cumulative since the start of the broker. */
export class Counters {
  bytesReceived = 0;
  bytesSent = 0;
  /** Control packets of any kind; mosquitto calls them messages. */
  packetsReceived = 0;
  packetsSent = 0;
  publishReceived = 0;
  publishSent = 0;
  publishDropped = 0;
  publishBytesReceived = 0;
  publishBytesSent = 0;
  /** CONNECT packets, refused ones included. */
  connections = 0;
  /** Network connections opened. */
  sockets = 0;
  clientsExpired = 0;
  clientsMaximum = 0;
}
