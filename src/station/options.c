#include "station/options.h"

#include <errno.h>
#include <string.h>

#define AT(member)	 offsetof(struct station_options, member)

#define DEFAULT_DELAY_US 1000000

const struct option_row station_option_rows[] = {
	{ "protocol", 0, OPTION_TEXT, AT(protocol_text), "PROTOCOL",
	    "surgard, dc09, ademco685, d6500, xml, json or webhook" },
	{ "listen", 0, OPTION_TEXT, AT(listen_text), "HOST:PORT",
	    "wait for the receiver (port 0: any, see first line)" },
	{ "connect", 0, OPTION_TEXT, AT(connect_text), "HOST:PORT",
	    "connect to the receiver, as automation software may" },
	{ "udp", 0, OPTION_FLAG, AT(udp), NULL, "datagrams (dc09)" },
	{ "line-digits", 0, OPTION_UNSIGNED, AT(line_digits), "1|3",
	    "width of the line field (surgard) [1]" },
	{ "key", 0, OPTION_TEXT, AT(key_text), "KEY",
	    "AES: hex:DIGITS or text:CHARACTERS (dc09)" },
	{ "certificate", 0, OPTION_TEXT, AT(certificate), "FILE",
	    "TLS, with this certificate and its key (PEM)" },
	{ "client-ca", 0, OPTION_TEXT, AT(client_ca), "FILE",
	    "demand a certificate signed by this authority" },
	{ "http", 0, OPTION_FLAG, AT(http), NULL, "posted by HTTP (xml)" },
	{ "passkey", 0, OPTION_TEXT, AT(passkey), "TEXT",
	    "demand it (xml), or that it signs (webhook)" },
	{ "fault", 0, OPTION_TEXT, AT(fault_text), "FAULT",
	    "no-ack, nak, wrong-ack, slow, half-open, drip, close-each, "
	    "slow-tls, 5xx, 410" },
	{ "fault-rate", 0, OPTION_FRACTION, AT(fault_rate), "P",
	    "share of messages (slow-tls: connections) it strikes, 0..1 [1]" },
	{ "fault-for", 0, OPTION_DURATION, AT(fault_for_us), "TIME",
	    "only so long after the start" },
	{ "fault-count", 0, OPTION_COUNT, AT(fault_count), "N",
	    "only so many times" },
	{ "delay", 0, OPTION_DURATION, AT(delay_us), "TIME",
	    "of slow and slow-tls, and per byte of drip [1s]" },
	{ "seed", 0, OPTION_COUNT, AT(seed), "N",
	    "strike the same messages in each run" },
	{ "seconds", 0, OPTION_DURATION, AT(seconds_us), "S",
	    "end after so long" },
	{ "count", 0, OPTION_COUNT, AT(count), "N",
	    "end after so many acknowledged signals" },
	{ "ledger", 0, OPTION_TEXT, AT(ledger), "FILE",
	    "one line per received signal" },
	{ "ledger-sync", 0, OPTION_FLAG, AT(ledger_sync), NULL,
	    "wait for the disk at each write of it" },
	{ "json", 0, OPTION_FLAG, AT(json), NULL,
	    "the summary as one JSON object" },
	{ "help", 'h', OPTION_FLAG, AT(help), NULL, "this text" },
	{ "version", 'V', OPTION_FLAG, AT(version), NULL, "the version" },
	{ 0 },
};

/* in the order of the enums */
static const char *const protocol_names[] = { "surgard", "dc09", "ademco685",
	"d6500", "xml", "json", "webhook", NULL };
static const char *const fault_names[] = { "none", "no-ack", "nak", "wrong-ack",
	"slow", "half-open", "drip", "close-each", "slow-tls", "5xx", "410",
	NULL };

/* The index of a word; -EINVAL with a suggestion. */
static int
find_word(const char *option, const char *word, const char *const *words,
    struct err *err)
{
	const char *nearest;

	for (int i = 0; words[i]; i++)
		if (strcmp(word, words[i]) == 0)
			return i;
	nearest = option_nearest(word, words);
	if (nearest)
		return err_set(err, -EINVAL,
		    "--%s: '%s' is not known: did you mean '%s'?", option, word,
		    nearest);
	return err_set(err, -EINVAL, "--%s: '%s' is not known", option, word);
}

static int
read_address(struct station_options *o, struct err *err)
{
	o->connect = o->connect_text != NULL;
	if ((o->listen_text != NULL) == o->connect)
		return err_set(err, -EINVAL,
		    "one of --listen and --connect HOST:PORT is needed");
	if (socket_address_parse(o->connect ? o->connect_text : o->listen_text,
		&o->address, err) < 0)
		return err_prefix(err, -EINVAL, "%s",
		    o->connect ? "--connect" : "--listen");
	return 0;
}

static int
check(const struct station_options *o, struct err *err)
{
	bool dc09 = o->protocol == STATION_DC09;

	if (o->line_digits != 1 && o->line_digits != 3)
		return err_set(err, -EINVAL, "--line-digits: 1 or 3");
	if (!dc09 && (o->udp || o->key.length > 0))
		return err_set(err, -EINVAL,
		    "--udp and --key go with --protocol dc09 only");
	if (dc09 && o->connect)
		return err_set(err, -EINVAL,
		    "--connect does not go with --protocol dc09: such a "
		    "station waits to be called");
	if ((o->http || o->passkey) && o->protocol != STATION_XML &&
	    o->protocol != STATION_WEBHOOK)
		return err_set(err, -EINVAL,
		    "--http and --passkey go with --protocol xml or webhook");
	if (o->connect && o->http)
		return err_set(err, -EINVAL,
		    "what is posted by HTTP goes with --listen");
	if (o->fault >= STATION_FAULT_5XX && !o->http)
		return err_set(err, -EINVAL,
		    "--fault 5xx and 410 go with HTTP");
	if (o->fault == STATION_FAULT_WRONG_ACK && o->http)
		return err_set(err, -EINVAL,
		    "--fault wrong-ack is not for HTTP, whose answers name "
		    "nothing");
	if (o->certificate && (o->udp || o->connect))
		return err_set(err, -EINVAL,
		    "--certificate goes with --listen over TCP");
	if (!o->certificate &&
	    (o->client_ca || o->fault == STATION_FAULT_SLOW_TLS))
		return err_set(err, -EINVAL,
		    "--client-ca and --fault slow-tls go with --certificate");
	if (o->udp && o->fault > STATION_FAULT_WRONG_ACK)
		return err_set(err, -EINVAL,
		    "--fault %s needs a connection: no-ack, nak and wrong-ack "
		    "are for --udp",
		    o->fault_text);
	return 0;
}

int
station_options_read(int argc, char **argv, struct station_options *ret,
    struct err *err)
{
	struct station_options o = {
		.line_digits = 1,
		.fault_rate = 1,
		.delay_us = DEFAULT_DELAY_US,
	};
	const char *problem;
	int word = option_parse(station_option_rows, argc, argv, &o, err);

	if (word < 0)
		return word;
	*ret = o;
	if (o.help || o.version)
		return 0;
	if (!o.protocol_text)
		return err_set(err, -EINVAL,
		    "--protocol surgard, dc09, ademco685, d6500, xml, json or "
		    "webhook is needed");
	word = find_word("protocol", o.protocol_text, protocol_names, err);
	if (word < 0)
		return word;
	o.protocol = (enum station_protocol)word;
	o.http |= o.protocol == STATION_WEBHOOK;
	if (o.fault_text) {
		word = find_word("fault", o.fault_text, fault_names, err);
		if (word < 0)
			return word;
		o.fault = (enum station_fault)word;
	}
	if (o.key_text &&
	    codec_key_parse(slice_from_string(o.key_text), &o.key, &problem) <
		0)
		return err_set(err, -EINVAL, "--key: %s", problem);
	if (read_address(&o, err) < 0 || check(&o, err) < 0)
		return -EINVAL;
	*ret = o;
	return 0;
}
