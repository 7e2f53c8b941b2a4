/* UDP: a reply to each datagram's source. */
#include "rig.h"

#include <errno.h>
#include <sys/socket.h>

static int
open_rig(void **state)
{
	static struct rig rig;
	struct ingress_listener_config listeners[] = { rig_listener,
		rig_listener };

	listeners[1].name = "datagrams";
	listeners[1].transport = INGRESS_UDP;
	rig_open(&rig, listeners, COUNT(listeners), RIG_BUDGET);
	*state = &rig;
	return 0;
}

static int
close_rig(void **state)
{
	rig_close(*state);
	return 0;
}

static void
test_reply_goes_to_the_source(void **state)
{
	enum {
		PANELS = 100
	};
	struct rig *rig = *state;
	int fds[PANELS];

	for (unsigned i = 0; i < PANELS; i++) {
		fds[i] = rig_connect_udp(rig, "datagrams");
		if (i % 2)
			rig_send_poll(rig, fds[i], "1234", i + 1);
		else
			rig_send_event(rig, fds[i], "1234", i + 1);
	}
	for (unsigned i = 0; i < PANELS; i++) {
		rig_expect(rig, fds[i], DC09_RESPONSE_ACK, i + 1);
		rig_expect_nothing(fds[i]);
		close(fds[i]);
	}
	assert_int_equal(rig_count_records(rig), PANELS / 2);
}

static void
test_damaged_datagrams_are_not_answered(void **state)
{
	struct rig *rig = *state;
	char frame[DC09_FRAME_MAX];
	int fd = rig_connect_udp(rig, "datagrams");
	const struct panel panel = { .account = "1234" };
	size_t length = rig_event(rig, &panel, 1, frame);

	rig_send(fd, frame, length - 5); /* cut */
	rig_send(fd, "GET / HTTP/1.1\r\n\r\n", 18);
	frame[length - 4] ^= 1;
	rig_send(fd, frame, length); /* a bit fell over */
	rig_send_event(rig, fd, "1234", 2);
	rig_expect(rig, fd, DC09_RESPONSE_ACK, 2);
	assert_int_equal(rig_count_records(rig), 1);
	assert_int_equal(rig_status(rig, "datagrams").faults[DC09_FAULT_CRC],
	    1);
	assert_true(rig_status(rig, "datagrams").faults[DC09_FAULT_LENGTH] >=
	    1);
	close(fd);
}

static void
test_several_frames_in_one_datagram(void **state)
{
	struct rig *rig = *state;
	static char both[2 * DC09_FRAME_MAX];
	const struct panel panel = { .account = "1234" };
	int fd = rig_connect_udp(rig, "datagrams");
	size_t length = rig_event(rig, &panel, 1, both);

	length += rig_event(rig, &panel, 2, both + length);
	rig_send(fd, both, length);
	rig_expect(rig, fd, DC09_RESPONSE_ACK, 1);
	rig_expect(rig, fd, DC09_RESPONSE_ACK, 2);
	close(fd);
}

static void
test_a_sign_of_life_has_its_source(void **state)
{
	struct rig *rig = *state;
	struct socket_address own = { .length = sizeof(own.storage) };
	struct presence_status presence;
	char peer[SOCKET_ADDRESS_TEXT];
	int fd = rig_connect_udp(rig, "datagrams");

	rig_send_poll(rig, fd, "1234", 1);
	rig_expect(rig, fd, DC09_RESPONSE_ACK, 1);
	assert_true(rig_presence(rig, 1, &presence));
	getsockname(fd, &own.any, &own.length);
	assert_string_equal(presence.peer, socket_address_format(&own, peer));
	assert_string_equal(presence.paths[0].listener, "datagrams");
	close(fd);
}

#define TEST(function)                                                         \
 cmocka_unit_test_setup_teardown(function, open_rig, close_rig)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_reply_goes_to_the_source),
		TEST(test_damaged_datagrams_are_not_answered),
		TEST(test_a_sign_of_life_has_its_source),
		TEST(test_several_frames_in_one_datagram),
	};

	return cmocka_run_group_tests_name("ingress/udp", tests, NULL, NULL);
}
