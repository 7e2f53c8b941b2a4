/* Serial lines: a pseudo terminal, with a station at its other end that behaves,
 * or does not. */
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "unit/egress/fixture.h"

static char lines[2][100];

/* The fixture's endpoints, as lines with these settings behind the name. */
static void
begin(enum directory_protocol protocol, const char *settings)
{
	struct peer *const peers[] = { &fixture.peer, &fixture.backup };

	fixture_open(NULL);
	fixture_begin(protocol, false);
	for (size_t i = 0; i < COUNT(peers); i++) {
		snprintf(lines[i], sizeof(lines[i]), "%s%s",
		    peer_be_line(peers[i]), settings);
		fixture.endpoints[i] = (struct directory_endpoint){ lines[i], 0,
			DIRECTORY_TRANSPORT_SERIAL };
	}
}

static const struct {
	const char *name;
	enum directory_protocol protocol;
	unsigned heartbeat_ms;
	enum peer_action script[4];
	unsigned length;
	unsigned naks, timeouts;
} faults[] = {
	{ "all well", DIRECTORY_PROTOCOL_SURGARD, 0, { PEER_ACK }, 1, 0, 0 },
	{ "refused", DIRECTORY_PROTOCOL_SURGARD, 0,
	    { PEER_ACK, PEER_NAK, PEER_NAK }, 3, 2, 0 },
	{ "silent", DIRECTORY_PROTOCOL_SURGARD, 0, { PEER_ACK, PEER_SILENT }, 2,
	    0, 1 },
	{ "silent for too long", DIRECTORY_PROTOCOL_SURGARD, 1000,
	    { PEER_SILENT, PEER_SILENT, PEER_SILENT }, 3, 0, 3 },
	{ "other bytes", DIRECTORY_PROTOCOL_SURGARD, 0, { PEER_GARBAGE }, 1, 0,
	    1 },
	{ "Ademco 685", DIRECTORY_PROTOCOL_ADEMCO685, 1000,
	    { PEER_ACK, PEER_NAK, PEER_SILENT }, 3, 1, 1 },
	{ "D6500", DIRECTORY_PROTOCOL_D6500, 1000, { PEER_ACK, PEER_SILENT }, 2,
	    0, 1 },
};

static void
test_faults(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(faults); i++) {
		begin(faults[i].protocol, ",9600,8n1");
		fixture.receiver.heartbeat_ms = faults[i].heartbeat_ms;
		peer_script(&fixture.peer, faults[i].script, faults[i].length,
		    PEER_ACK);
		fixture_sync(true);
		fixture_enqueue(20);
		wait_for(fixture.result_count == 20);
		fixture_assert_all_delivered();
		assert_row(fixture_show_number("naks") == faults[i].naks, i,
		    faults[i].name);
		assert_row(fixture_show_number("timeouts") >=
			faults[i].timeouts,
		    i, faults[i].name);
		fixture_close(NULL);
	}
}

/* Not a byte more or less, whatever a terminal makes of bytes otherwise: of the
 * line break of Ademco 685, of 0x14 and 0x11. */
static void
test_bytes_are_raw(void **state)
{
	struct termios settings;

	(void)state;
	begin(DIRECTORY_PROTOCOL_ADEMCO685, ",1200,8n2");
	fixture_sync(true);
	fixture_enqueue(1);
	wait_for(fixture.result_count == 1);
	assert_string_equal(fixture.peer.last, "\n11 1234 18 E130 01 C001");
	assert_string_equal(fixture.results[0].endpoint + strlen("serial:"),
	    lines[0]);
	assert_int_equal(tcgetattr(fixture.peer.line_fd, &settings), 0);
	assert_int_equal(cfgetospeed(&settings), B1200);
	assert_true(settings.c_cflag & CSTOPB);
	assert_true(settings.c_cflag & CLOCAL);
	assert_false(settings.c_cflag & CRTSCTS);
	assert_false(settings.c_lflag & (ICANON | ECHO | ISIG));
	fixture_close(NULL);
}

static const struct {
	const char *line, *problem;
} wrong[] = {
	{ "/dev/tocsin-none,9600,8n1", "cannot open /dev/tocsin-none" },
	{ "/dev/null,9600,8n1", "/dev/null is no serial line" },
	{ "/dev/null", "'/dev/null' is no serial line: DEVICE,SPEED,8n1" },
	{ "/dev/null,9600,8n1,", "'/dev/null,9600,8n1,' is no serial line" },
	{ "/dev/null,9600,5n1", "'/dev/null,9600,5n1' is no serial line" },
	{ "/dev/null,9601,8n1", "'9601' is no speed of a serial line" },
	{ NULL, "to 9600,7e1: " }, /* what a pseudo terminal cannot */
};

static void
test_wrong_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		begin(DIRECTORY_PROTOCOL_SURGARD, ",9600,7e1");
		if (wrong[i].line)
			fixture.endpoints[0].host = wrong[i].line;
		fixture_sync(true);
		fixture_enqueue(1);
		wait_for(fixture_state_is("backing-off"));
		assert_row(strstr(fixture_show("last_error"),
			       wrong[i].problem) != NULL,
		    i, fixture_show("last_error"));
		assert_int_equal(fixture.result_count, 0);
		fixture_close(NULL);
	}
}

/* A line that is pulled out: the backup takes over. */
static void
test_line_goes(void **state)
{
	(void)state;
	begin(DIRECTORY_PROTOCOL_SURGARD, ",9600,8n1");
	fixture.receiver.endpoint_count = 2;
	fixture_sync(true);
	fixture_enqueue(10);
	wait_for(fixture.result_count == 10);
	peer_stop(&fixture.peer);
	fixture_enqueue(10);
	wait_for(fixture.result_count == 20);
	assert_int_equal(fixture.backup.acked, 10);
	fixture_close(NULL);
}

/* A line that takes nothing more holds nobody up: closing does not wait for it
 * either. */
static void
test_line_that_is_stuck(void **state)
{
	(void)state;
	begin(DIRECTORY_PROTOCOL_SURGARD, ",9600,8n1");
	fixture.receiver.in_flight = 1000;
	fixture.accounts = 1000;
	event_del(fixture.peer.readable);
	fixture_sync(true);
	fixture_enqueue(2000);
	wait_for(fixture_show_number("timeouts") > 0);
	fixture_close(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_bytes_are_raw),
		cmocka_unit_test(test_wrong_lines),
		cmocka_unit_test(test_line_goes),
		cmocka_unit_test(test_line_that_is_stuck),
	};

	return cmocka_run_group_tests_name("egress/serial", tests, NULL, NULL);
}
