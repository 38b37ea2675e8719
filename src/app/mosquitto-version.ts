// The mosquitto whose words and habits are followed where a program asks for a version.

/** MOSQUITTO_VERSION is digits and dots. */
export const MOSQUITTO_VERSION = '2.1.2';
