#include "unit/test.h"

#include <errno.h>

#include "codec/sia.h"

/* An event as one line: block, code, zone, then what modifiers and texts gave,
 * each only where it is. */
static void
describe_field(char *out, size_t size, const char *name, struct slice s)
{
	size_t used = strlen(out);

	if (slice_present(s))
		snprintf(out + used, size - used, " %s=%.*s", name,
		    SLICE_ARG(s));
}

static void
describe(const struct signal_event *event, char *out, size_t size)
{
	snprintf(out, size, "%c %s", event->block, event->code);
	describe_field(out, size, "zone", event->zone);
	describe_field(out, size, "ri", event->partition);
	describe_field(out, size, "area", event->area_text);
	describe_field(out, size, "id", event->user);
	describe_field(out, size, "ti", event->time);
	describe_field(out, size, "da", event->date);
	describe_field(out, size, "pi", event->peripheral);
	describe_field(out, size, "text", event->text);
}

static const struct {
	const char *blocks;
	const char *events[5]; /* none: refused */
} decoded[] = {
	{ "NBA5", { "N BA zone=5" } },
	{ "NBA", { "N BA" } },
	{ "NBA0005", { "N BA zone=0005" } },
	{ "NBAFFFF", { "N BA zone=FFFF" } },
	{ "OBA5", { "O BA zone=5" } },
	{ "Nri1/BA5", { "N BA zone=5 ri=1" } },
	{ "Nri1CL0001", { "N CL zone=0001 ri=1" } },
	{ "Nti20:50:26RP99", { "N RP zone=99 ti=20:50:26" } },
	{ "Nti19:44/id1/RP", { "N RP id=1 ti=19:44" } },
	{ "Nda03-01-26/ti12:00/pi7/id42/pm3/BA5",
	    { "N BA zone=5 ri=3 id=42 ti=12:00 da=03-01-26 pi=7" } },
	{ "Nph1/lv2/va3/pt4/rg5/ss6/ai7/BA5", { "N BA zone=5" } },
	/* modifiers act on later packets of their block, not on earlier ones */
	{ "NBA1/ri2/BA2/BA3/ri4/BA4",
	    { "N BA zone=1", "N BA zone=2 ri=2", "N BA zone=3 ri=2",
		"N BA zone=4 ri=4" } },
	{ "Nri1/BA1|NBR2", { "N BA zone=1 ri=1", "N BR zone=2" } },
	{ "Nri1/BA1|Ori2/BR2", { "N BA zone=1 ri=1", "O BR zone=2 ri=2" } },
	/* texts */
	{ "NBA5^Front gate^", { "N BA zone=5 text=Front gate" } },
	{ "NBA5^Front gate", { "N BA zone=5 text=Front gate" } },
	{ "NBA^^", { "N BA text=" } },
	{ "NBA5^a/b^/BR6", { "N BA zone=5 text=a/b", "N BR zone=6" } },
	{ "NBA5^text|Url:x^", { "N BA zone=5 text=text|Url:x" } },
	{ "NBA5^no end|Nri1/BR6",
	    { "N BA zone=5 text=no end",
		"N BR zone=6 "
		"ri=1" } },
	{ "Nri01^TOTAL^/LX901^JA-106K(R)^",
	    { "N LX zone=901 ri=01 area=TOTAL text=JA-106K(R)" } },
	/* the name of an area ends with the area */
	{ "Nri1^House^/BA1/ri2/BA2",
	    { "N BA zone=1 ri=1 area=House", "N BA zone=2 ri=2" } },
	{ "Nid1^Anna^/OP1/id2/OP2",
	    { "N OP zone=1 id=1 text=Anna", "N OP zone=2 id=2" } },
	{ "Nid1^Anna^/OP1^Door^/OP3",
	    { "N OP zone=1 id=1 text=Door", "N OP zone=3 id=1 text=Anna" } },
	{ "NBA5|AFront gate", { "N BA zone=5 text=Front gate" } },
	{ "NBA5^own^|Aother", { "N BA zone=5 text=own" } },
	{ "NBA5*'Front [gate]'NM", { "N BA zone=5 text=Front [gate]" } },
	{ "NBA5*\"Front gate\"NM/BR6",
	    { "N BA zone=5 text=Front gate", "N BR zone=6" } },
	{ "NBA5*1234 56/BR6", { "N BA zone=5", "N BR zone=6" } },
	{ "NBA5*1234^text^", { "N BA zone=5 text=text" } },
	{ "NBA5 loose words", { "N BA zone=5 text=loose words" } },
	/* blocks that carry no event */
	{ "#1234|NBA5", { "N BA zone=5" } },
	{ "&12|NBA5|Pxyz|X1", { "N BA zone=5" } },
	{ "|NBA5|", { "N BA zone=5" } },
	{ "", { NULL } },
	{ "N", { NULL } },
	{ "Nri1", { NULL } },
	{ "Nri1/", { NULL } },
	{ "AText", { NULL } },
	{ "1130 01 005", { NULL } },
	{ "N5", { NULL } },
	{ "Nba5", { NULL } },
	{ "NB", { NULL } },
	{ "NBA5|N?", { NULL } },
};

static void
blocks(void **state)
{
	static struct signal signal;

	(void)state;
	for (size_t i = 0; i < COUNT(decoded); i++) {
		const char *text = decoded[i].blocks, *problem = NULL;
		enum codec_result result;
		unsigned count = 0;

		signal.event_count = 0;
		signal.data_account = SLICE_NONE;
		result = sia_decode(slice_from_string(text), &signal, &problem);
		assert_row(result ==
			(decoded[i].events[0] ? CODEC_OK : CODEC_BAD),
		    i, text);
		if (result != CODEC_OK) {
			assert_row(problem, i, text);
			continue;
		}
		for (; decoded[i].events[count]; count++) {
			char line[256];

			assert_row(count < signal.event_count, i, text);
			describe(&signal.events[count], line, sizeof(line));
			if (strcmp(line, decoded[i].events[count]) != 0)
				fail_msg("row %zu (%s): \"%s\", not \"%s\"", i,
				    text, line, decoded[i].events[count]);
		}
		assert_row(count == signal.event_count, i, text);
	}
}

#define SLICE(text)                                                            \
 {                                                                             \
  text, sizeof(text) - 1                                                       \
 }

static const struct {
	struct signal_event event;
	const char *expected; /* NULL: refused */
} encoded[] = {
	{ { .code = "BA" }, "NBA" },
	{ { .code = "BA", .zone = SLICE("5"), .block = 'O' }, "OBA5" },
	{ { .code = "BA",
	      .zone = SLICE("0005"),
	      .partition = SLICE("1"),
	      .user = SLICE("42"),
	      .time = SLICE("12:00:00"),
	      .date = SLICE("03-01-26"),
	      .text = SLICE("Front gate") },
	    "Nda03-01-26/ti12:00:00/id42/ri1/BA0005^Front gate^" },
	{ { .code = "BA", .text = SLICE("a^b|c[d]e\nf") }, "NBA^a b c d e f^" },
	{ { .code = "BA", .text = SLICE("Ger\xe4t \xc3\xa4") },
	    "NBA^Ger\xe4t \xc3\xa4^" },
	{ { .code = "130" }, NULL },
	{ { .code = "B" }, NULL },
	{ { .code = "ba" }, NULL },
	{ { .code = "BA", .zone = SLICE("5/BR6") }, NULL },
	{ { .code = "BA", .zone = SLICE("5]") }, NULL },
	{ { .code = "BA", .partition = SLICE("1|N") }, NULL },
	{ { .code = "BA", .user = SLICE("x y") }, NULL },
	{ { .code = "BA", .time = SLICE("12:00/BR1") }, NULL },
};

static void
encode(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(encoded); i++) {
		const char *problem = NULL;
		char out[128] = "";
		int length =
		    sia_encode(&encoded[i].event, out, sizeof(out), &problem);

		if (!encoded[i].expected) {
			assert_row(length == -EINVAL && problem, i,
			    encoded[i].event.code);
			continue;
		}
		assert_row(length > 0, i, encoded[i].expected);
		assert_slice(slice_of(out, (size_t)length),
		    encoded[i].expected);
		/* a byte less is refused, never cut */
		assert_row(sia_encode(&encoded[i].event, out,
			       (size_t)length - 1, &problem) == -ENAMETOOLONG,
		    i, encoded[i].expected);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks),
		cmocka_unit_test(encode),
	};

	return cmocka_run_group_tests_name("codec/sia", tests, NULL, NULL);
}
