# Paho Python at a broker: one feature, named by the first word; exit status 0 when all of it works.
#
#   paho_client.py FEATURE TRANSPORT PORT CA_FILE VERSION      TRANSPORT: tcp, tls, ws, wss; VERSION: 4 (3.1.1) or 5
#   the account is in MQTT_USER and MQTT_PASSWORD

import os
import queue
import sys

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

FEATURE, TRANSPORT, PORT, CA, VERSION = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4], int(sys.argv[5])
PATIENCE = 20  # seconds until something that must come is given up


def properties(kind, **given):
    made = Properties(kind)
    for name, value in given.items():
        setattr(made, name, value)
    return made


class Guest:
    """A client with a thread of its own, whose answers wait in queues."""

    def __init__(self, client_id="", kept=False, will=None, password=None):
        words = {} if VERSION == 5 else {"clean_session": not kept}
        transport = "websockets" if TRANSPORT in ("ws", "wss") else "tcp"
        first = [mqtt.CallbackAPIVersion.VERSION1] if hasattr(mqtt, "CallbackAPIVersion") else []  # Paho 2
        self.client = client = mqtt.Client(*first, client_id, protocol=VERSION, transport=transport, **words)
        client.username_pw_set(os.environ["MQTT_USER"], password or os.environ["MQTT_PASSWORD"])
        if TRANSPORT in ("tls", "wss"):
            client.tls_set(CA)
        if will is not None:
            client.will_set(*will[0], **will[1])
        self.connacks, self.messages, self.answers, self.sent = (queue.Queue() for _ in range(4))
        client.on_connect = lambda _client, _data, flags, reason, *_more: self.connacks.put((flags, reason))
        client.on_message = lambda _client, _data, message: self.messages.put(message)
        client.on_subscribe = lambda _client, _data, _mid, *granted: self.answers.put(granted[0])
        client.on_publish = lambda _client, _data, mid: self.sent.put(mid)
        self.disconnects = queue.Queue()
        client.on_disconnect = lambda _client, _data, reason, *_more: self.disconnects.put(reason)
        words = {}
        if VERSION == 5:
            words = {"clean_start": not kept, "properties": properties(PacketTypes.CONNECT, SessionExpiryInterval=1000 if kept else 0)}
        client.connect("localhost", PORT, **words)
        client.loop_start()
        self.flags, self.reason = self.connacks.get(timeout=PATIENCE)

    def subscribe(self, topic, qos=2, options=None, subscription=None):
        more = {} if VERSION == 4 else {"options": options or SubscribeOptions(qos=qos), "properties": subscription}
        self.client.subscribe(topic, **(more or {"qos": qos}))
        return [getattr(code, "value", code) for code in self.answers.get(timeout=PATIENCE)]

    def publish(self, topic, payload="", qos=1, retain=False, **given):
        more = {"properties": properties(PacketTypes.PUBLISH, **given)} if given else {}
        self.client.publish(topic, payload, qos, retain, **more).wait_for_publish(PATIENCE)
        self.sent.get(timeout=PATIENCE)

    def message(self):
        return self.messages.get(timeout=PATIENCE)

    def leave(self):
        self.client.disconnect()
        self.disconnects.get(timeout=PATIENCE)
        self.client.loop_stop()

    def vanish(self):
        """Loses the connection without DISCONNECT."""
        self.client.loop_stop()
        self.client._sock_close()


def is_equal(seen, wanted):
    if seen != wanted:
        raise AssertionError(f"{seen!r} is not {wanted!r}")


def messages():
    """every QoS goes both ways, retained too"""
    guest = Guest()
    is_equal(guest.subscribe("messages/#"), [2])
    for qos in (0, 1, 2):
        guest.publish(f"messages/{qos}", f"größe {qos}", qos)
        message = guest.message()
        is_equal((message.topic, message.qos, message.payload.decode()), (f"messages/{qos}", qos, f"größe {qos}"))
    guest.publish("messages/large", "x" * 15000, 2)
    is_equal(len(guest.message().payload), 15000)
    guest.publish("messages/kept", "x", 1, retain=True)
    guest.message()
    other = Guest()
    other.subscribe("messages/#")
    is_equal(other.message().retain, True)
    guest.publish("messages/kept", "", 1, retain=True)


def will():
    guest, lost = Guest(), Guest(will=(("will/lost", "gone", 1, False), {}))
    polite = Guest(will=(("will/polite", "gone", 1, False), {}))
    guest.subscribe("will/#")
    polite.leave()
    lost.vanish()
    is_equal(guest.message().topic, "will/lost")


def session():
    """queued messages come after a reconnect, each QoS in order (Paho shows QoS 2 after PUBREL), and the session is there"""
    first = Guest("paho-session", kept=True)
    is_equal(first.reason, 0)
    first.subscribe("session/#")
    first.leave()
    sender = Guest()
    for n in range(10):
        sender.publish(f"session/{n}", str(n), 1 + n % 2)
    second = Guest("paho-session", kept=True)
    is_equal(second.flags["session present"], 1)
    got = [second.message() for _ in range(10)]
    for qos in (1, 2):
        is_equal([message.topic for message in got if message.qos == qos], [f"session/{n}" for n in range(qos - 1, 10, 2)])


def refused():
    guest = Guest(password="wrong")
    is_equal(getattr(guest.reason, "value", guest.reason), 0x87 if VERSION == 5 else 5)


def message_properties():
    guest = Guest()
    guest.subscribe("properties/#")
    given = {
        "UserProperty": [("colour", "red"), ("colour", "green")],
        "ResponseTopic": "properties/answer",
        "CorrelationData": b"\x00\x01",
        "ContentType": "text/plain",
        "PayloadFormatIndicator": 1,
        "MessageExpiryInterval": 1000,
    }
    for qos in (0, 1, 2):
        guest.publish("properties/ask", "?", qos, **given)
        seen = guest.message().properties
        for name, value in given.items():
            if name != "MessageExpiryInterval":
                is_equal(getattr(seen, name), value)
        is_equal(900 < seen.MessageExpiryInterval <= 1000, True)
    guest.publish(seen.ResponseTopic, "!", 1, CorrelationData=seen.CorrelationData)
    answer = guest.message()
    is_equal((answer.topic, answer.properties.CorrelationData), ("properties/answer", b"\x00\x01"))


def topic_alias():
    guest = Guest()
    guest.subscribe("alias/#")
    guest.publish("alias/one", "1", TopicAlias=1)
    guest.publish("", "2", TopicAlias=1)
    is_equal([guest.message().topic, guest.message().topic], ["alias/one", "alias/one"])


def denied():
    """a refused PUBLISH does not end the connection, and reaches nobody"""
    guest = Guest()
    guest.subscribe("#")
    for qos in (0, 1, 2):
        guest.client.publish("forbidden/x", "x", qos)
    guest.publish("denied/end", "x")
    is_equal(guest.message().topic, "denied/end")


def shared():
    sender, members = Guest(), [Guest(), Guest()]
    for member in members:
        is_equal(member.subscribe("$share/group/shared/#", 1), [1])
    for n in range(10):
        sender.publish(f"shared/{n}")
    got = sorted(member.message().topic for member in members for _ in range(5))
    is_equal(got, [f"shared/{n}" for n in range(10)])


def subscriptions():
    """identifier, no local, retain handling, retain as published"""
    guest, other = Guest(), Guest()
    other.publish("subscriptions/old", "x", 1, retain=True)
    options = SubscribeOptions(qos=1, noLocal=True, retainAsPublished=True, retainHandling=SubscribeOptions.RETAIN_DO_NOT_SEND)
    guest.subscribe("subscriptions/#", options=options, subscription=properties(PacketTypes.SUBSCRIBE, SubscriptionIdentifier=7))
    guest.publish("subscriptions/mine", "x")
    other.publish("subscriptions/theirs", "x", 1, retain=True)
    message = guest.message()
    is_equal((message.topic, message.retain, message.properties.SubscriptionIdentifier), ("subscriptions/theirs", True, [7]))
    for name in ("old", "theirs"):
        other.publish(f"subscriptions/{name}", "", 1, retain=True)


def session_expiry():
    """a session that DISCONNECT ends is gone"""
    kept = Guest("paho-expiry", kept=True)
    kept.client.disconnect(properties=properties(PacketTypes.DISCONNECT, SessionExpiryInterval=0))
    kept.disconnects.get(timeout=PATIENCE)
    again = Guest("paho-expiry", kept=True)
    is_equal(again.flags["session present"], 0)


FEATURES = (messages, will, session, refused, denied)
FEATURES_5 = (message_properties, topic_alias, shared, subscriptions, session_expiry)

{feature.__name__: feature for feature in FEATURES + FEATURES_5}[FEATURE]()
os._exit(0)  # the threads of the clients would go on
