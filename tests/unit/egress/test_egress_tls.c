/* Stations behind TLS: whom we believe, what we show, and the same faults as
 * in clear. */
#include <openssl/ssl.h>
#include <signal.h>
#include <stdlib.h>

#include "base/tls.h"
#include "unit/certificates.h"
#include "unit/egress/fixture.h"

static char directory[] = "/tmp/tocsin-egress-tls-XXXXXX";

/* Files in the directory; the first two sign. */
static const char *const names[] = { "ca", "other", "station", "expired",
	"self", "us" };
enum {
	CA,
	OTHER,
	STATION,
	EXPIRED,
	SELF,
	US
};
static struct certificate certificates[COUNT(names)];

static const char *
path_of(size_t index)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s.pem", directory, names[index]);
	return path;
}

static int
make_certificates(void **state)
{
	const struct certificate *ca = &certificates[CA];

	(void)state;
	assert_non_null(mkdtemp(directory));
	signal(SIGPIPE, SIG_IGN);
	certificates[CA] = certificate_make("ca", NULL, NULL, 3600);
	certificates[OTHER] = certificate_make("other", NULL, NULL, 3600);
	certificates[STATION] =
	    certificate_make("station", "station.example", ca, 3600);
	certificates[EXPIRED] =
	    certificate_make("station", "station.example", ca, -60);
	certificates[SELF] =
	    certificate_make("self", "station.example", NULL, 3600);
	certificates[US] = certificate_make("us", NULL, ca, 3600);
	for (size_t i = 0; i < COUNT(names); i++)
		certificate_write(&certificates[i], path_of(i));
	fixture_certificates = directory;
	return 0;
}

static int
remove_certificates(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		remove(path_of(i));
		certificate_free(&certificates[i]);
	}
	return remove(directory);
}

/* What the station shows, and whether it demands a certificate of ours. */
static SSL_CTX *
station(size_t shown, bool demands)
{
	SSL_CTX *made = SSL_CTX_new(TLS_server_method());

	assert_int_equal(tls_set_rules(made), 0);
	assert_int_equal(tls_use_certificate(made, "", path_of(shown), "", NULL,
			     NULL),
	    0);
	if (demands) {
		SSL_CTX_set_verify(made,
		    SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
		assert_int_equal(SSL_CTX_load_verify_file(made, path_of(CA)),
		    1);
	}
	return made;
}

static void
begin(enum directory_protocol protocol, SSL_CTX *secure)
{
	fixture_begin(protocol, false);
	fixture.peer.secure = secure;
	fixture.endpoints[0].transport = DIRECTORY_TRANSPORT_TLS;
	fixture.endpoints[0].tls_name = "station.example";
	fixture.endpoints[0].tls_ca = "ca.pem";
}

/* ---- whom we believe, and what we show ---------------------------------------- */

static const struct {
	const char *name;
	size_t shown;
	const char *tls_name, *tls_ca, *tls_certificate;
	bool demands;
	const char *error; /* NULL: delivered */
} beliefs[] = {
	{ "signed by the authority", STATION, "station.example", "ca.pem", "",
	    false, NULL },
	{ "the very certificate", SELF, "station.example", "self.pem", "",
	    false, NULL },
	{ "signed by another authority", STATION, "station.example",
	    "other.pem", "", false, "unable to get local issuer" },
	{ "by none that the system trusts", STATION, "station.example", "", "",
	    false, "unable to get local issuer" },
	{ "somebody else's name", STATION, "stations.example", "ca.pem", "",
	    false, "hostname mismatch" },
	{ "a name where an address is expected", STATION, "", "ca.pem", "",
	    false, "IP address mismatch" },
	{ "expired", EXPIRED, "station.example", "ca.pem", "", false,
	    "certificate has expired" },
	{ "we are asked and show ours", STATION, "station.example", "ca.pem",
	    "us.pem", true, NULL },
	{ "we are asked and have none", STATION, "station.example", "ca.pem",
	    "", true, "certificate required" },
	{ "no such authority", STATION, "station.example", "missing.pem", "",
	    false, "missing.pem: No such file" },
	{ "no such certificate of ours", STATION, "station.example", "ca.pem",
	    "missing.pem", false, "missing.pem: No such file" },
};

static void
test_whom_we_believe(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(beliefs); i++) {
		SSL_CTX *secure = station(beliefs[i].shown, beliefs[i].demands);

		fixture_open(NULL);
		begin(DIRECTORY_PROTOCOL_DC09, secure);
		fixture.endpoints[0].tls_name = beliefs[i].tls_name;
		fixture.endpoints[0].tls_ca = beliefs[i].tls_ca;
		fixture.endpoints[0].tls_certificate =
		    beliefs[i].tls_certificate;
		fixture_sync(true);
		fixture_enqueue(3);
		if (beliefs[i].error) {
			wait_for(strstr(fixture_show("last_error"),
			    beliefs[i].error));
			assert_row(fixture.result_count == 0, i,
			    beliefs[i].name);
			assert_row(fixture.peer.messages == 0, i,
			    beliefs[i].name);
		} else {
			wait_for(fixture.result_count == 3);
			fixture_assert_all_delivered();
			assert_row(strncmp(fixture_show("tls"), "TLSv1.3 ",
				       8) == 0,
			    i, fixture_show("tls"));
			assert_row(fixture_show_number("tls_handshakes") == 1,
			    i, beliefs[i].name);
		}
		fixture_close(NULL);
		SSL_CTX_free(secure);
	}
}

/* A renewed certificate takes force with the next connection. */
static void
test_files_are_read_anew(void **state)
{
	SSL_CTX *before = station(STATION, false), *after;

	(void)state;
	fixture_open(NULL);
	begin(DIRECTORY_PROTOCOL_SURGARD, before);
	fixture_sync(true);
	fixture_enqueue(1);
	wait_for(fixture.result_count == 1);
	after = station(SELF, false);
	fixture.peer.secure = after;
	peer_hang_up(&fixture.peer);
	fixture_enqueue(1);
	wait_for(fixture_show_number("tls_failures") > 0);
	certificate_write(&certificates[SELF], path_of(CA));
	wait_for(fixture.result_count == 2);
	fixture_assert_all_delivered();
	fixture_close(NULL);
	certificate_write(&certificates[CA], path_of(CA));
	SSL_CTX_free(before);
	SSL_CTX_free(after);
}

/* ---- a station that misbehaves ---------------------------------------------------- */

/* A handshake that never ends is no reason to wait for ever: the backup. */
static void
test_handshake_that_never_ends(void **state)
{
	SSL_CTX *secure = station(STATION, false);

	(void)state;
	fixture_open(NULL);
	begin(DIRECTORY_PROTOCOL_SURGARD, secure);
	fixture.receiver.endpoint_count = 2;
	fixture.peer.mute = true;
	fixture_sync(true);
	fixture_enqueue(5);
	wait_for(fixture_show_number("tls_failures") == 1);
	assert_string_equal(fixture_show("last_error"),
	    "no TLS handshake in time");
	wait_for(fixture.result_count == 5);
	assert_int_equal(fixture.backup.messages, 5);
	fixture.peer.mute = false;
	fixture_enqueue(1);
	wait_for(fixture.result_count == 6);
	wait_for(strcmp(fixture_show("backup"), "false") == 0 &&
	    fixture_state_is("up"));
	fixture_enqueue(5);
	wait_for(fixture.result_count == 11);
	assert_true(fixture.peer.messages > 0);
	fixture_assert_all_delivered();
	fixture_close(NULL);
	SSL_CTX_free(secure);
}

static void
test_clear_station(void **state)
{
	(void)state;
	fixture_open(NULL);
	begin(DIRECTORY_PROTOCOL_SURGARD, NULL);
	fixture.peer.mute = true;
	fixture_sync(true);
	fixture_enqueue(1);
	wait_for(fixture.peer.connects > 0);
	peer_say(&fixture.peer, "\x06\x06\x06\x06\x06\x06");
	wait_for(strstr(fixture_show("last_error"), "wrong version number"));
	assert_int_equal(fixture.result_count, 0);
	fixture_close(NULL);
}

static const enum directory_protocol protocols[] = {
	DIRECTORY_PROTOCOL_SURGARD,
	DIRECTORY_PROTOCOL_DC09,
	DIRECTORY_PROTOCOL_XML,
};

static void
test_faults(void **state)
{
	static const enum peer_action script[] = { PEER_ACK, PEER_SILENT,
		PEER_ACK, PEER_NAK, PEER_DRIP, PEER_CLOSE, PEER_ACK_CLOSE,
		PEER_WRONG, PEER_GARBAGE, PEER_ACK };
	SSL_CTX *secure = station(STATION, false);

	(void)state;
	for (size_t i = 0; i < COUNT(protocols); i++) {
		fixture_open(NULL);
		begin(protocols[i], secure);
		peer_script(&fixture.peer, script, COUNT(script), PEER_ACK);
		fixture_sync(true);
		fixture_enqueue(400);
		wait_for(fixture.result_count == 400);
		fixture_assert_all_delivered();
		fixture_close(NULL);
	}
	SSL_CTX_free(secure);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whom_we_believe),
		cmocka_unit_test(test_files_are_read_anew),
		cmocka_unit_test(test_handshake_that_never_ends),
		cmocka_unit_test(test_clear_station),
		cmocka_unit_test(test_faults),
	};

	return cmocka_run_group_tests_name("egress/tls", tests,
	    make_certificates, remove_certificates);
}
