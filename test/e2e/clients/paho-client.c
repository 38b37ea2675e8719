// Paho C at a broker: one feature, named by the first word; exit status 0 when all of it works.
//
//   paho-client FEATURE URI CA_FILE VERSION      URI: tcp://, ssl://, ws:// or wss://HOST:PORT; VERSION: 4 (3.1.1) or 5
//   the account is in MQTT_USER and MQTT_PASSWORD

#include <MQTTClient.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE 20000 // milliseconds until something that must come is given up

static const char *uri, *ca;
static int version;

#define MUST(condition) ((condition) ? (void)0 : fail(#condition, __LINE__))

static void fail(const char *condition, int line) {
  fprintf(stderr, "line %d: not so: %s\n", line, condition);
  exit(1);
}

struct will {
  const char *topic, *payload;
};

// connect_with tells the reason of CONNACK, or Paho's own negative code.
static int connect_with(MQTTClient *client, const char *id, int kept, const struct will *will, const char *password, int *present) {
  MQTTClient_createOptions creation = MQTTClient_createOptions_initializer;
  creation.MQTTVersion = version;
  MUST(MQTTClient_createWithOptions(client, uri, id, MQTTCLIENT_PERSISTENCE_NONE, NULL, &creation) == 0);
  MQTTClient_connectOptions three = MQTTClient_connectOptions_initializer;
  MQTTClient_connectOptions five = MQTTClient_connectOptions_initializer5;
  MQTTClient_connectOptions options = version == 5 ? five : three;
  MQTTClient_SSLOptions ssl = MQTTClient_SSLOptions_initializer;
  ssl.trustStore = ca;
  ssl.verify = 1;
  MQTTClient_willOptions last = MQTTClient_willOptions_initializer;
  if (will != NULL) {
    last.topicName = will->topic;
    last.message = will->payload;
    last.qos = 1;
    options.will = &last;
  }
  options.ssl = &ssl;
  options.MQTTVersion = version;
  options.username = getenv("MQTT_USER");
  options.password = password != NULL ? password : getenv("MQTT_PASSWORD");
  if (version == 5) options.cleanstart = !kept;
  else options.cleansession = !kept;
  MQTTProperties properties = MQTTProperties_initializer;
  MQTTProperty expiry = {.identifier = MQTTPROPERTY_CODE_SESSION_EXPIRY_INTERVAL, .value.integer4 = kept ? 1000 : 0};
  MQTTProperties_add(&properties, &expiry);
  int reason;
  if (version == 5) {
    MQTTResponse response = MQTTClient_connect5(*client, &options, &properties, NULL);
    reason = response.reasonCode;
    MQTTResponse_free(response);
  } else {
    reason = MQTTClient_connect(*client, &options);
  }
  if (present != NULL) *present = options.returned.sessionPresent;
  MQTTProperties_free(&properties);
  return reason;
}

static MQTTClient enter(const char *id, int kept, const struct will *will) {
  MQTTClient client;
  MUST(connect_with(&client, id, kept, will, NULL, NULL) == 0);
  return client;
}

static int subscribe(MQTTClient client, const char *topic, int qos) {
  if (version == 4) return MQTTClient_subscribe(client, topic, qos) == 0 ? qos : -1;
  MQTTResponse response = MQTTClient_subscribe5(client, topic, qos, NULL, NULL);
  int reason = response.reasonCode;
  MQTTResponse_free(response);
  return reason;
}

static void publish(MQTTClient client, const char *topic, const char *payload, int qos, MQTTProperties *properties) {
  MQTTClient_message message = MQTTClient_message_initializer;
  message.payload = (void *)payload;
  message.payloadlen = (int)strlen(payload);
  message.qos = qos;
  if (properties != NULL) message.properties = *properties;
  MQTTClient_deliveryToken token;
  if (version == 5) {
    MQTTResponse response = MQTTClient_publishMessage5(client, topic, &message, &token);
    MUST(response.reasonCode == 0);
    MQTTResponse_free(response);
  } else {
    MUST(MQTTClient_publishMessage(client, topic, &message, &token) == 0);
  }
  if (qos > 0) MUST(MQTTClient_waitForCompletion(client, token, PATIENCE) == 0);
}

// expect takes the next message, which must have this topic, and gives it.
static MQTTClient_message *expect(MQTTClient client, const char *topic) {
  char *name = NULL;
  int length;
  MQTTClient_message *message = NULL;
  MUST(MQTTClient_receive(client, &name, &length, &message, PATIENCE) == 0);
  MUST(message != NULL);
  if (strcmp(name, topic) != 0) fprintf(stderr, "%s came, not %s\n", name, topic), exit(1);
  return message;
}

static void leave(MQTTClient client) {
  MUST(MQTTClient_disconnect(client, PATIENCE) == 0);
  MQTTClient_destroy(&client);
}

static void messages(void) {
  MQTTClient client = enter("", 0, NULL);
  MUST(subscribe(client, "messages/#", 2) == 2);
  for (int qos = 0; qos <= 2; qos++) {
    publish(client, "messages/x", "payload", qos, NULL);
    MQTTClient_message *message = expect(client, "messages/x");
    MUST(message->qos == qos && message->payloadlen == 7 && memcmp(message->payload, "payload", 7) == 0);
  }
  leave(client);
}

static void session(void) {
  MQTTClient first = enter("paho-c", 1, NULL), sender = enter("", 0, NULL), second;
  subscribe(first, "session/#", 2);
  leave(first);
  char topic[40];
  for (int n = 0; n < 10; n++) sprintf(topic, "session/%d", n), publish(sender, topic, "x", 2, NULL);
  int present = 0;
  MUST(connect_with(&second, "paho-c", 1, NULL, NULL, &present) == 0);
  if (version == 4) MUST(present == 1); // Paho C 1.3.12 leaves the flag out with MQTT 5
  for (int n = 0; n < 10; n++) sprintf(topic, "session/%d", n), MUST(expect(second, topic)->qos == 2);
  leave(second);
}

// The client that is lost is a process that ends without DISCONNECT.
static void will(void) {
  int start[2];
  char byte = 0;
  MUST(pipe(start) == 0);
  pid_t lost = fork();
  MUST(lost >= 0);
  if (lost == 0) {
    if (read(start[0], &byte, 1) != 1) _exit(1);
    leave(enter("paho-c-polite", 0, &(struct will){"will/polite", "gone"}));
    enter("paho-c-lost", 0, &(struct will){"will/lost", "gone"});
    _exit(0);
  }
  MQTTClient client = enter("", 0, NULL);
  subscribe(client, "will/#", 1);
  MUST(write(start[1], &byte, 1) == 1);
  MUST(expect(client, "will/lost")->qos == 1);
  leave(client);
}

static void refused(void) {
  MQTTClient client;
  MUST(connect_with(&client, "", 0, NULL, "wrong", NULL) == (version == 5 ? MQTTREASONCODE_NOT_AUTHORIZED : 5));
}

static void message_properties(void) {
  MQTTClient client = enter("", 0, NULL);
  subscribe(client, "properties/#", 2);
  MQTTProperties given = MQTTProperties_initializer;
  MQTTProperty all[] = {
      {.identifier = MQTTPROPERTY_CODE_USER_PROPERTY, .value = {.data = {3, "key"}, .value = {5, "value"}}},
      {.identifier = MQTTPROPERTY_CODE_RESPONSE_TOPIC, .value.data = {17, "properties/answer"}},
      {.identifier = MQTTPROPERTY_CODE_CORRELATION_DATA, .value.data = {3, "a\0b"}},
      {.identifier = MQTTPROPERTY_CODE_MESSAGE_EXPIRY_INTERVAL, .value.integer4 = 1000},
  };
  for (size_t n = 0; n < sizeof all / sizeof *all; n++) MUST(MQTTProperties_add(&given, &all[n]) == 0);
  publish(client, "properties/ask", "?", 2, &given);
  MQTTProperties *seen = &expect(client, "properties/ask")->properties;
  MQTTProperty *user = MQTTProperties_getProperty(seen, MQTTPROPERTY_CODE_USER_PROPERTY);
  MUST(user != NULL && strncmp(user->value.data.data, "key", 3) == 0 && strncmp(user->value.value.data, "value", 5) == 0);
  MQTTProperty *answer = MQTTProperties_getProperty(seen, MQTTPROPERTY_CODE_RESPONSE_TOPIC);
  MUST(answer != NULL && strncmp(answer->value.data.data, "properties/answer", 17) == 0);
  MQTTProperty *correlation = MQTTProperties_getProperty(seen, MQTTPROPERTY_CODE_CORRELATION_DATA);
  MUST(correlation != NULL && correlation->value.data.len == 3 && memcmp(correlation->value.data.data, "a\0b", 3) == 0);
  int left = MQTTProperties_getNumericValue(seen, MQTTPROPERTY_CODE_MESSAGE_EXPIRY_INTERVAL);
  MUST(left > 900 && left <= 1000);
  leave(client);
}

static void shared(void) {
  MQTTClient sender = enter("", 0, NULL), one = enter("", 0, NULL), two = enter("", 0, NULL);
  MUST(subscribe(one, "$share/group/shared/#", 1) == 1);
  MUST(subscribe(two, "$share/group/shared/#", 1) == 1);
  for (int n = 0; n < 10; n++) publish(sender, "shared/x", "x", 1, NULL);
  for (int n = 0; n < 5; n++) expect(one, "shared/x"), expect(two, "shared/x");
}

static const struct {
  const char *name;
  void (*run)(void);
} FEATURES[] = {{"messages", messages}, {"session", session}, {"will", will}, {"refused", refused}, {"message_properties", message_properties}, {"shared", shared}};

int main(int count, char **words) {
  MUST(count == 5);
  uri = words[2];
  ca = words[3];
  version = atoi(words[4]);
  MQTTClient_init_options options = MQTTClient_init_options_initializer;
  options.do_openssl_init = 1;
  MQTTClient_global_init(&options);
  for (size_t n = 0; n < sizeof FEATURES / sizeof *FEATURES; n++)
    if (strcmp(FEATURES[n].name, words[1]) == 0) return FEATURES[n].run(), 0;
  fail("the feature is known", __LINE__);
}
