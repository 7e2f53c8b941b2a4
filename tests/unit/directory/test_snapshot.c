#include "unit/test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "directory/private.h"
#include "directory/snapshot.h"

#define WALL_US 1768473001204000ll

static struct directory *directory;
static char path[96], folder[64];
static const struct seal_master master = { "0123456789abcdef0123456789abcde" };
static const struct seal_master other_master = { "another key" };

static void
fill(void)
{
	const struct directory_library_row rows[] = {
		{ .zone_type = 3, .enabled = DIRECTORY_NO, .code = "131" },
		{ .inbound_code = "602", .enabled = DIRECTORY_INHERIT },
	};
	const struct directory_endpoint endpoints[] = {
		{ "192.0.2.7", 1025, DIRECTORY_TRANSPORT_TLS, "a.example",
		    "ca.pem", "us.pem", "/hook" },
		{ .host = "backup.example",
		    .port = 65535,
		    .transport = DIRECTORY_TRANSPORT_UDP },
	};
	const struct directory_zone zones[] = {
		{ "1", 51, 3, DIRECTORY_INHERIT, "", "Front door" },
		{ "002", 52, 4, DIRECTORY_YES, "140", "" },
	};
	const struct directory_zone_type type = { 3, true, "130", "Instant" };
	const struct directory_dealer dealer = { 10, "Dealer", { 2, rows } };
	const struct directory_receiver receiver = { .id = 20,
		.name = "Receiver",
		.protocol = DIRECTORY_PROTOCOL_DC09,
		.listen = true,
		.receiver_number = "1A",
		.line_number = "2B",
		.line_digits = 3,
		.sia_block = true,
		.clock = true,
		.header_space = true,
		.account_policy = DIRECTORY_ACCOUNT_SPLIT_BACK,
		.translation = DIRECTORY_TRANSLATION_SIA,
		.codes = "E130=BV,R130=BW",
		.shadow_of = 77,
		.account_digits = 6,
		.heartbeat_ms = 30000,
		.ack_wait_ms = 4000,
		.retries = 3,
		.in_flight = 300,
		.key = "RECEIVERSECRET",
		.key_length = 16,
		.passkey = "correct-horse",
		.endpoint_count = 2,
		.endpoints = endpoints };
	const struct directory_station station = { .id = 30,
		.dealer_id = 10,
		.receiver_id = 20,
		.name = "Station",
		.prefix = "77",
		.receiver_adds_prefix = true,
		.line_card = "9",
		.url_template = "https://x.example/?act=<account>" };
	const struct directory_site site = { .id = 40,
		.dealer_id = 10,
		.station_id = 30,
		.state = DIRECTORY_SITE_INACTIVE,
		.name = "Site",
		.account = "0123",
		.reference_id = "R-1",
		.on_test_until_us = 1ll << 50,
		.on_test_forward = true,
		.ack_level = ACK_LEVEL_DELIVERED,
		.activation_ends_us = 1ll << 51,
		.position = { true, -379838000, 237275000 },
		.library = { 1, rows } };
	static const uint8_t key[DIRECTORY_KEY_SIZE] = "BRIDGESECRET";
	static const uint8_t bearer_hash[DIRECTORY_HASH_SIZE] = "BEARERHASH";
	static const struct directory_path paths[DIRECTORY_PATHS] = {
		{ 180, 18, NULL }, { 90000, 9000, "gsm" }
	};
	static const struct directory_previous_key previous_key = {
		.until_us = 1ll << 51, .length = 16, .bytes = "OLDERSECRET"
	};
	static const struct directory_previous_bearer previous_bearer = {
		.until_us = 1ll << 52, .hash = "OLDERHASH"
	};
	static const struct directory_time_window time_window = { 600, 30 };
	static const uint8_t mac[] = { 2, 0, 0x5e, 0, 0x53, 1 };
	const struct directory_bridge bridge = { .id = 50,
		.site_id = 40,
		.kind = DIRECTORY_PANEL,
		.serial = "SN1",
		.account = "9001",
		.line = "",
		.listener = "main",
		.key = key,
		.key_length = sizeof(key),
		.bearer_hash = bearer_hash,
		.previous_bearer = &previous_bearer,
		.cipher_required = true,
		.previous_key = &previous_key,
		.tls_required = true,
		.time_window = &time_window,
		.mac = mac,
		.number = 12,
		.paths = paths,
		.zone_count = 2,
		.zones = zones };
	struct directory_batch *batch = directory_batch_begin(directory);

	directory_put_zone_type(batch, 3, &type);
	directory_put_dealer(batch, 10, &dealer);
	directory_put_receiver(batch, 20, &receiver);
	directory_put_station(batch, 30, &station);
	directory_put_site(batch, 40, &site);
	directory_put_bridge(batch, 50, &bridge);
	assert_int_equal(directory_batch_commit(batch), 0);
}

static void
check_receiver(const struct directory *copy)
{
	const struct directory_receiver *receiver =
	    directory_receiver_by_id(copy, 20);

	assert_string_equal(receiver->name, "Receiver");
	assert_int_equal(receiver->protocol, DIRECTORY_PROTOCOL_DC09);
	assert_true(receiver->listen);
	assert_false(receiver->paused);
	assert_string_equal(receiver->receiver_number, "1A");
	assert_string_equal(receiver->line_number, "2B");
	assert_int_equal(receiver->line_digits, 3);
	assert_true(receiver->sia_block);
	assert_true(receiver->clock);
	assert_true(receiver->header_space);
	assert_int_equal(receiver->translation, DIRECTORY_TRANSLATION_SIA);
	assert_string_equal(receiver->codes, "E130=BV,R130=BW");
	assert_int_equal(receiver->shadow_of, 77);
	assert_int_equal(receiver->account_policy,
	    DIRECTORY_ACCOUNT_SPLIT_BACK);
	assert_int_equal(receiver->account_digits, 6);
	assert_int_equal(receiver->heartbeat_ms, 30000);
	assert_int_equal(receiver->ack_wait_ms, 4000);
	assert_int_equal(receiver->retries, 3);
	assert_int_equal(receiver->in_flight, 300);
	assert_int_equal(receiver->key_length, 16);
	assert_string_equal((const char *)receiver->key, "RECEIVERSECRET");
	assert_int_equal(receiver->endpoint_count, 2);
	assert_int_equal(receiver->endpoints[0].transport,
	    DIRECTORY_TRANSPORT_TLS);
	assert_string_equal(receiver->endpoints[0].tls_name, "a.example");
	assert_string_equal(receiver->endpoints[0].tls_ca, "ca.pem");
	assert_string_equal(receiver->endpoints[0].tls_certificate, "us.pem");
	assert_string_equal(receiver->endpoints[0].path, "/hook");
	assert_string_equal(receiver->passkey, "correct-horse");
	assert_string_equal(receiver->endpoints[1].host, "backup.example");
	assert_int_equal(receiver->endpoints[1].port, 65535);
	assert_int_equal(receiver->endpoints[1].transport,
	    DIRECTORY_TRANSPORT_UDP);
}

static void
check_policy(const struct directory_bridge *bridge)
{
	static const uint8_t mac[] = { 2, 0, 0x5e, 0, 0x53, 1 };

	assert_int_equal(bridge->previous_key->length, 16);
	assert_true(bridge->previous_key->until_us == 1ll << 51);
	assert_string_equal((const char *)bridge->previous_key->bytes,
	    "OLDERSECRET");
	assert_true(bridge->tls_required);
	assert_int_equal(bridge->time_window->past_s, 600);
	assert_int_equal(bridge->time_window->future_s, 30);
	assert_memory_equal(bridge->mac, mac, sizeof(mac));
}

static void
check_bridge(const struct directory *copy)
{
	const struct directory_bridge *bridge =
	    directory_bridge_by_id(copy, 50);

	assert_int_equal(bridge->site_id, 40);
	assert_int_equal(bridge->kind, DIRECTORY_PANEL);
	assert_string_equal(bridge->serial, "SN1");
	assert_string_equal(bridge->account, "9001");
	assert_null(bridge->receiver);
	assert_string_equal(bridge->line, ""); /* not the same as NULL */
	assert_string_equal(bridge->listener, "main");
	assert_int_equal(bridge->key_length, 32);
	assert_string_equal((const char *)bridge->key, "BRIDGESECRET");
	assert_string_equal((const char *)bridge->bearer_hash, "BEARERHASH");
	assert_true(bridge->previous_bearer->until_us == 1ll << 52);
	assert_string_equal((const char *)bridge->previous_bearer->hash,
	    "OLDERHASH");
	assert_true(bridge->cipher_required);
	check_policy(bridge);
	assert_int_equal(bridge->number, 12);
	assert_int_equal(bridge->paths[0].interval_s, 180);
	assert_int_equal(bridge->paths[0].margin_s, 18);
	assert_null(bridge->paths[0].listener);
	assert_int_equal(bridge->paths[1].interval_s, 90000);
	assert_int_equal(bridge->paths[1].margin_s, 9000);
	assert_string_equal(bridge->paths[1].listener, "gsm");
	assert_int_equal(bridge->zone_count, 2);
	assert_string_equal(bridge->zones[0].name, "Front door");
	assert_int_equal(bridge->zones[0].enabled, DIRECTORY_INHERIT);
	assert_string_equal(bridge->zones[1].zone, "002");
	assert_int_equal(bridge->zones[1].channel_id, 52);
	assert_int_equal(bridge->zones[1].zone_type, 4);
	assert_string_equal(bridge->zones[1].code, "140");
}

static void
check_rest(const struct directory *copy)
{
	const struct directory_dealer *dealer =
	    directory_dealer_by_id(copy, 10);
	const struct directory_station *station =
	    directory_station_by_id(copy, 30);
	const struct directory_site *site = directory_site_by_id(copy, 40);
	const struct directory_zone_type *type =
	    directory_zone_type_by_number(copy, 3);

	assert_string_equal(type->code, "130");
	assert_true(type->enabled);
	assert_string_equal(dealer->name, "Dealer");
	assert_int_equal(dealer->library.count, 2);
	assert_int_equal(dealer->library.rows[0].enabled, DIRECTORY_NO);
	assert_string_equal(dealer->library.rows[1].inbound_code, "602");
	assert_int_equal(station->receiver_id, 20);
	assert_string_equal(station->prefix, "77");
	assert_true(station->receiver_adds_prefix);
	assert_string_equal(station->line_card, "9");
	assert_string_equal(station->url_template,
	    "https://x.example/?act=<account>");
	assert_int_equal(site->dealer_id, 10);
	assert_int_equal(site->station_id, 30);
	assert_int_equal(site->state, DIRECTORY_SITE_INACTIVE);
	assert_string_equal(site->account, "0123");
	assert_string_equal(site->reference_id, "R-1");
	assert_true(site->on_test_until_us == 1ll << 50);
	assert_true(site->on_test_forward);
	assert_int_equal(site->ack_level, ACK_LEVEL_DELIVERED);
	assert_true(site->activation_ends_us == 1ll << 51);
	assert_true(site->position.known);
	assert_int_equal(site->position.latitude_e7, -379838000);
	assert_int_equal(site->position.longitude_e7, 237275000);
	assert_int_equal(site->library.count, 1);
}

static int
setup(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/tocsin-snapshot-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/snapshot", folder);
	if (directory_create(&directory, NULL) < 0)
		return -1;
	fill();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	directory_close(&directory);
	unlink(path);
	return rmdir(folder); /* fails when something was left behind */
}

static int
write_it(const struct io *io, const struct seal_master *key, struct err *err)
{
	struct snapshot_content *content =
	    snapshot_collect(directory_picture(directory), malloc);
	int result = snapshot_write(io, path, content, key, WALL_US, err);

	free(content);
	return result;
}

/* Into a directory of its own, *ret when it could be read. */
static int
read_it(const struct seal_master *key, struct directory **ret, struct err *err)
{
	struct directory_batch *batch;
	struct directory *copy;
	int64_t wall_us = 0;
	int result;

	assert_int_equal(directory_create(&copy, NULL), 0);
	batch = directory_batch_begin(copy);
	result = snapshot_read(&io_system, path, batch, key, &wall_us, err);
	if (result < 0) {
		directory_batch_abandon(batch);
		directory_close(&copy);
		return result;
	}
	assert_int_equal(wall_us, WALL_US);
	assert_int_equal(directory_batch_commit(batch), 0);
	*ret = copy;
	return 0;
}

static size_t
read_bytes(char *bytes, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t length = read(fd, bytes, size);

	close(fd);
	assert_true(length > 0 && (size_t)length < size);
	return (size_t)length;
}

static void
write_bytes(const char *bytes, size_t length)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_equal(write(fd, bytes, length), (ssize_t)length);
	close(fd);
}

static void
what_was_written_is_read(void **state)
{
	const struct seal_master *const keys[] = { NULL, &master };
	struct directory *copy = NULL;
	struct err err = { "" };
	char bytes[8192];
	struct stat status;

	(void)state;
	for (size_t i = 0; i < COUNT(keys); i++) {
		size_t length;

		assert_int_equal(write_it(&io_system, keys[i], &err), 0);
		assert_int_equal(stat(path, &status), 0);
		assert_int_equal(status.st_mode & 0777, 0600);
		length = read_bytes(bytes, sizeof(bytes));
		assert_int_equal(!memmem(bytes, length, "SECRET", 6),
		    keys[i] != NULL);
		if (read_it(keys[i], &copy, &err) < 0)
			fail_msg("%s", err.text);
		check_receiver(copy);
		check_bridge(copy);
		check_rest(copy);
		directory_close(&copy);
	}
}

static void
many_objects(void **state)
{
	struct directory_batch *batch = directory_batch_begin(directory);
	struct directory_status status;
	struct directory *copy = NULL;
	struct err err = { "" };
	char name[3000];

	(void)state;
	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	for (uint64_t id = 100; id < 3100; id++) {
		struct directory_site site = { .id = id,
			.name = name + id % 2999 };

		assert_int_equal(directory_put_site(batch, id, &site), 0);
	}
	assert_int_equal(directory_batch_commit(batch), 0);
	assert_int_equal(write_it(&io_system, &master, &err), 0);
	assert_int_equal(read_it(&master, &copy, &err), 0);
	directory_status(copy, &status);
	assert_int_equal(status.sites, 3001);
	for (uint64_t id = 100; id < 3100; id++)
		assert_string_equal(directory_site_by_id(copy, id)->name,
		    name + id % 2999);
	directory_close(&copy);
}

static void
the_right_key_is_needed(void **state)
{
	struct directory *copy = NULL;
	struct err err = { "" };

	(void)state;
	assert_int_equal(write_it(&io_system, &master, &err), 0);
	assert_int_equal(read_it(NULL, &copy, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "master key"));
	assert_int_equal(read_it(&other_master, &copy, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "master key"));
}

static void
every_truncation_is_refused(void **state)
{
	struct directory *copy = NULL;
	char bytes[8192];
	size_t length;

	(void)state;
	assert_int_equal(write_it(&io_system, &master, NULL), 0);
	length = read_bytes(bytes, sizeof(bytes));
	for (size_t n = 0; n < length; n += TEST_STRIDE(7, 101)) {
		struct err err = { "" };

		write_bytes(bytes, n);
		if (read_it(&master, &copy, &err) != -EBADMSG)
			fail_msg("cut to %zu bytes was taken", n);
		assert_non_null(strstr(err.text, path));
	}
	bytes[length] = '\0';
	write_bytes(bytes, length + 1);
	assert_int_equal(read_it(&master, &copy, NULL), -EBADMSG);
}

static void
every_bit_flip_is_refused(void **state)
{
	struct directory *copy = NULL;
	char bytes[8192];
	size_t length;

	(void)state;
	assert_int_equal(write_it(&io_system, NULL, NULL), 0);
	length = read_bytes(bytes, sizeof(bytes));
	for (size_t bit = 0; bit < length * 8; bit += TEST_STRIDE(29, 101)) {
		struct err err = { "" };

		bytes[bit / 8] ^= (char)(1 << bit % 8);
		write_bytes(bytes, length);
		if (read_it(NULL, &copy, &err) != -EBADMSG)
			fail_msg("bit %zu flipped was taken", bit);
		assert_non_null(strstr(err.text, path));
		bytes[bit / 8] ^= (char)(1 << bit % 8);
	}
}

/* ---- the n-th call to the disk fails ---- */

static int calls_left;

static bool
fails(void)
{
	return calls_left-- <= 0;
}

static int
failing_open(const struct io *io, const char *name, int flags, mode_t mode)
{
	return fails() ? -EACCES : io_system.open(io, name, flags, mode);
}

static int
failing_close(const struct io *io, int fd)
{
	int result = io_system.close(io, fd);

	return fails() ? -EIO : result;
}

static ssize_t
failing_pwritev(const struct io *io, int fd, const struct iovec *parts,
    int count, off_t offset)
{
	return fails() ? -ENOSPC
		       : io_system.pwritev(io, fd, parts, count, offset);
}

static int
failing_fsync(const struct io *io, int fd)
{
	return fails() ? -EIO : io_system.fsync(io, fd);
}

static int
failing_rename(const struct io *io, const char *from, const char *to)
{
	return fails() ? -EIO : io_system.rename(io, from, to);
}

static void
a_failed_write_leaves_the_old_one(void **state)
{
	struct io io = io_system;
	char before[8192], after[8192];
	size_t length;
	int failures = 0, result;

	(void)state;
	io.open = failing_open;
	io.close = failing_close;
	io.pwritev = failing_pwritev;
	io.fsync = failing_fsync;
	io.rename = failing_rename;
	assert_int_equal(write_it(&io_system, NULL, NULL), 0);
	length = read_bytes(before, sizeof(before));
	for (int n = 0;; n++) {
		struct err err = { "" };

		calls_left = n;
		result = write_it(&io, &master, &err);
		if (result == 0)
			break;
		failures++;
		assert_non_null(strstr(err.text, path));
		/* renamed, but the new name may not survive a crash */
		if (n >= 6)
			continue;
		assert_int_equal(read_bytes(after, sizeof(after)), length);
		assert_memory_equal(before, after, length);
	}
	assert_int_equal(failures, 9);
}

static void
no_file_is_told_apart(void **state)
{
	struct directory *copy = NULL;
	struct err err = { "" };

	(void)state;
	assert_int_equal(read_it(NULL, &copy, &err), -ENOENT);
	assert_non_null(strstr(err.text, path));
}

int
main(void)
{
#define WITH_FILES(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		WITH_FILES(what_was_written_is_read),
		WITH_FILES(many_objects),
		WITH_FILES(the_right_key_is_needed),
		WITH_FILES(every_truncation_is_refused),
		WITH_FILES(every_bit_flip_is_refused),
		WITH_FILES(a_failed_write_leaves_the_old_one),
		WITH_FILES(no_file_is_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
