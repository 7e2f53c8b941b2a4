/*
 * The XML package (docs/PROTOCOLS.md, XML package; etc/alarm-package.xsd),
 * both ways: one AlarmPackage or Heartbeat per message, a NUL behind it, and
 * the Ack or Nak that answers by the package's id.
 */
#ifndef CODEC_XML_PACKAGE_H
#define CODEC_XML_PACKAGE_H

#include "codec/codec.h"
#include "signal/delivery.h"
#include "signal/signal.h"

#define XML_PACKAGE_MAX	   16384 /* with its NUL */
#define XML_PACKAGE_ID_MAX 128	 /* likewise */
#define XML_ANSWER_MAX	   200

struct xml_package_settings {
	const char *id; /* of this delivery, the same whenever it is sent */
	const char *receiver, *line;
	/* of the other kind, "E130" or "BA"; NULL or "": the code table's */
	const char *other_code;
};

/*
 * The package of a delivery; returns the length, NUL included, or -EINVAL with
 * *ret_problem (static). A panel's text that has no room whole is left out and
 * marked so. What XML has no character for is written U+FFFD. out:
 * XML_PACKAGE_MAX.
 */
int xml_package_encode(const struct xml_package_settings *settings,
    const struct delivery *delivery, char *out, const char **ret_problem);
int xml_heartbeat_encode(char *out);
/* "It is us": before anything else, to a station that wants a passkey. */
int xml_hello_encode(const char *passkey, char *out);

/*
 * The first package or heartbeat in data, up to and with its NUL; as
 * surgard_decode. signal.sequence is its id. plain (XML_PACKAGE_MAX) holds what
 * ret borrows. A Hello is a poll too.
 */
enum codec_result xml_package_decode(const char *data, size_t length,
    size_t *ret_consumed, char *plain, struct signal *ret);

/* The passkey of a message that was a Hello, into plain (XML_PACKAGE_MAX);
 * else SLICE_NONE. */
struct slice xml_hello_passkey(struct slice message, char *plain);

struct xml_answer {
	bool taken;	 /* Ack, else Nak */
	struct slice id; /* as written; SLICE_NONE: of the heartbeat */
};
/* The first whole answer in data. */
enum codec_result xml_answer_decode(const char *data, size_t length,
    size_t *ret_consumed, struct xml_answer *ret);
/* id empty: of the heartbeat. The length; out: XML_ANSWER_MAX. 0 when id has
 * no room. */
size_t xml_answer_encode(bool taken, struct slice id, char *out);

#endif
