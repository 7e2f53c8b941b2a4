#include "load/options.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define AT(member)	  offsetof(struct load_options, member)
#define PANELS_MAX	  1000000
#define INFLIGHT_MAX	  4096 /* sequences in flight must differ */
#define THREADS_MAX	  64
#define DEFAULT_PANELS	  50
#define DEFAULT_SECONDS	  10
#define DEFAULT_TIMEOUT_S 15

const struct option_row load_option_rows[] = {
	{ "target", 0, OPTION_TEXT, AT(target_text), "HOST:PORT",
	    "the receiver (numeric address)" },
	{ "udp", 0, OPTION_FLAG, AT(udp), NULL, "one datagram per message" },
	{ "tls", 0, OPTION_FLAG, AT(tls), NULL, "TCP with TLS inside" },
	{ "ca", 0, OPTION_TEXT, AT(ca), "FILE",
	    "PEM: who signed the receiver's certificate" },
	{ "insecure", 0, OPTION_FLAG, AT(insecure), NULL,
	    "take any certificate of the receiver" },
	{ "certificate", 0, OPTION_TEXT, AT(certificate), "FILE",
	    "PEM: the panels' certificate and its key [none]" },
	{ "panels", 0, OPTION_UNSIGNED, AT(panels), "N", "connections [50]" },
	{ "rate", 0, OPTION_TEXT, AT(rate_text), "R|max",
	    "signals per second over all panels [max]" },
	{ "inflight", 0, OPTION_UNSIGNED, AT(inflight), "W",
	    "unacknowledged messages per connection [1]" },
	{ "seconds", 0, OPTION_DURATION, AT(seconds_us), "S",
	    "send for so long [10, unless --count]" },
	{ "count", 0, OPTION_COUNT, AT(count), "N", "send so many signals" },
	{ "stay", 0, OPTION_DURATION, AT(stay_us), "TIME",
	    "stay connected so long behind the last [0s]" },
	{ "format", 0, OPTION_TEXT, AT(format_text), "FORMAT",
	    "adm-cid or sia-dcs [adm-cid]" },
	{ "key", 0, OPTION_TEXT, AT(key_text), "KEY",
	    "AES: hex:DIGITS or text:CHARACTERS" },
	{ "accounts", 0, OPTION_TEXT, AT(accounts_text), "FROM-TO",
	    "hexadecimal, width as given [one per panel from 0001]" },
	{ "zones", 0, OPTION_TEXT, AT(zones_text), "A-B",
	    "zones to cycle through [1-4]" },
	{ "partitions", 0, OPTION_TEXT, AT(partitions_text), "A-B",
	    "partitions to cycle through [1-97]" },
	{ "event", 0, OPTION_TEXT, AT(events_text), "LIST",
	    "130,131 or BA/BR,FA [130; BA/BH]" },
	{ "receiver", 0, OPTION_TEXT, AT(receiver), "HEX",
	    "R field of each message [absent]" },
	{ "line", 0, OPTION_TEXT, AT(line), "HEX", "L field [0]" },
	{ "null-every", 0, OPTION_UNSIGNED, AT(null_every), "N",
	    "a link test after each N signals of a panel [never]" },
	{ "link-tests", 0, OPTION_FLAG, AT(link_tests), NULL,
	    "each message is a link test" },
	{ "reconnect", 0, OPTION_FLAG, AT(reconnect), NULL,
	    "a new connection for each message" },
	{ "timeout", 0, OPTION_DURATION, AT(timeout_us), "TIME",
	    "wait for a reply so long [15s]" },
	{ "tries", 0, OPTION_UNSIGNED, AT(tries), "N",
	    "then give the message up [3]" },
	{ "persist", 0, OPTION_FLAG, AT(persist), NULL,
	    "never give a message up" },
	{ "threads", 0, OPTION_UNSIGNED, AT(threads), "N", "[1]" },
	{ "ledger", 0, OPTION_TEXT, AT(ledger), "FILE",
	    "one line per acknowledged signal" },
	{ "ledger-sync", 0, OPTION_FLAG, AT(ledger_sync), NULL,
	    "wait for the disk at each write of it" },
	{ "allow-unacknowledged", 0, OPTION_FLAG, AT(allow_unacknowledged),
	    NULL, "status 0 also when some were not" },
	{ "json", 0, OPTION_FLAG, AT(json), NULL,
	    "the summary as one JSON object" },
	{ "help", 'h', OPTION_FLAG, AT(help), NULL, "this text" },
	{ "version", 'V', OPTION_FLAG, AT(version), NULL, "the version" },
	{ 0 },
};

static int
read_format(const char *text, enum signal_format *ret, struct err *err)
{
	static const char *const words[] = { "adm-cid", "sia-dcs", NULL };
	const char *nearest;

	*ret = SIGNAL_FORMAT_CONTACT_ID;
	if (!text || strcmp(text, words[0]) == 0)
		return 0;
	*ret = SIGNAL_FORMAT_SIA;
	if (strcmp(text, words[1]) == 0)
		return 0;
	nearest = option_nearest(text, words);
	return err_set(err, -EINVAL, "--format: '%s' is not known: %s%s%s",
	    text, nearest ? "did you mean '" : "use adm-cid or sia-dcs",
	    nearest ? nearest : "", nearest ? "'?" : "");
}

static int
read_plan(struct load_options *o, struct err *err)
{
	enum signal_format format;
	int result = read_format(o->format_text, &format, err);
	unsigned zone_max = format == SIGNAL_FORMAT_SIA ? 9999 : 999;

	if (result < 0)
		return result;
	plan_init(&o->plan, format);
	if (o->events_text)
		result = plan_set_events(&o->plan, o->events_text, err);
	if (result < 0)
		return err_prefix(err, result, "--event");
	if (o->zones_text)
		result = plan_parse_range(o->zones_text, 0, zone_max,
		    &o->plan.zone_first, &o->plan.zone_count, err);
	if (result < 0)
		return err_prefix(err, result, "--zones");
	if (o->partitions_text)
		result = plan_parse_range(o->partitions_text, 0, 99,
		    &o->plan.partition_first, &o->plan.partition_count, err);
	return result < 0 ? err_prefix(err, result, "--partitions") : 0;
}

static int
read_accounts(struct load_options *o, struct err *err)
{
	int result;

	if (o->accounts_text) {
		result =
		    account_range_parse(o->accounts_text, &o->accounts, err);
		if (result < 0)
			return err_prefix(err, result, "--accounts");
	} else {
		o->accounts.first = 1;
		o->accounts.count = o->panels;
		o->accounts.width = o->panels < 0x10000 ? 4 : 6;
	}
	if (o->accounts.width < 3)
		return err_set(err, -EINVAL,
		    "--accounts: DC-09 accounts have 3 to 16 digits");
	if (o->accounts.count < o->panels)
		return err_set(err, -EINVAL,
		    "--accounts: %llu accounts are too few for %u panels: "
		    "each needs its own",
		    (unsigned long long)o->accounts.count, o->panels);
	return 0;
}

static int
read_rate(struct load_options *o, struct err *err)
{
	char *end;

	if (!o->rate_text || strcmp(o->rate_text, "max") == 0)
		return 0;
	o->rate = strtod(o->rate_text, &end);
	if (end == o->rate_text || *end != '\0' ||
	    !(o->rate > 0 && o->rate < 1e9))
		return err_set(err, -EINVAL,
		    "--rate: '%s' is neither a number nor max", o->rate_text);
	return 0;
}

static int
read_field(const char *name, const char *text, struct err *err)
{
	if (!text)
		return 0;
	if (strlen(text) < 1 || strlen(text) > 6)
		return err_set(err, -EINVAL, "--%s: 1 to 6 hexadecimal digits",
		    name);
	for (; *text; text++)
		if (!isxdigit((unsigned char)*text))
			return err_set(err, -EINVAL,
			    "--%s: '%c' is not a hexadecimal digit", name,
			    *text);
	return 0;
}

static int
check_limits(const struct load_options *o, struct err *err)
{
	if (o->panels < 1 || o->panels > PANELS_MAX)
		return err_set(err, -EINVAL, "--panels: 1 to %d", PANELS_MAX);
	if (o->inflight < 1 || o->inflight > INFLIGHT_MAX)
		return err_set(err, -EINVAL, "--inflight: 1 to %d",
		    INFLIGHT_MAX);
	if (o->threads < 1 || o->threads > THREADS_MAX ||
	    o->threads > o->panels)
		return err_set(err, -EINVAL,
		    "--threads: 1 to %d, and no more than panels", THREADS_MAX);
	if (o->tries < 1 || o->timeout_us < 1)
		return err_set(err, -EINVAL,
		    "--tries and --timeout must be more than 0");
	if (o->reconnect && (o->udp || o->inflight > 1))
		return err_set(err, -EINVAL,
		    "--reconnect is one message per TCP connection: neither "
		    "--udp nor --inflight go with it");
	return 0;
}

static int
check_tls(const struct load_options *o, struct err *err)
{
	if (!o->tls && (o->ca || o->insecure || o->certificate))
		return err_set(err, -EINVAL,
		    "--ca, --insecure and --certificate go with --tls only");
	if (o->tls && o->udp)
		return err_set(err, -EINVAL,
		    "--tls and --udp exclude each other");
	if (o->tls && (o->ca != NULL) == o->insecure)
		return err_set(err, -EINVAL,
		    "--tls needs either --ca FILE or --insecure");
	return 0;
}

int
load_options_read(int argc, char **argv, struct load_options *ret,
    struct err *err)
{
	struct load_options o = {
		.panels = DEFAULT_PANELS,
		.inflight = 1,
		.threads = 1,
		.tries = 3,
		.timeout_us = DEFAULT_TIMEOUT_S * INT64_C(1000000),
	};
	const char *problem;
	int result = option_parse(load_option_rows, argc, argv, &o, err);

	if (result < 0)
		return result;
	*ret = o;
	if (o.help || o.version)
		return 0;
	if (!o.target_text)
		return err_set(err, -EINVAL, "--target HOST:PORT is needed");
	if (socket_address_parse(o.target_text, &o.target, err) < 0)
		return err_prefix(err, -EINVAL, "--target");
	if (o.key_text &&
	    codec_key_parse(slice_from_string(o.key_text), &o.key, &problem) <
		0)
		return err_set(err, -EINVAL, "--key: %s", problem);
	if (read_field("receiver", o.receiver, err) < 0 ||
	    read_field("line", o.line, err) < 0 || check_limits(&o, err) < 0 ||
	    check_tls(&o, err) < 0 || read_plan(&o, err) < 0 ||
	    read_accounts(&o, err) < 0 || read_rate(&o, err) < 0)
		return -EINVAL;
	if (o.count == 0 && o.seconds_us == 0)
		o.seconds_us = DEFAULT_SECONDS * INT64_C(1000000);
	*ret = o;
	return 0;
}
