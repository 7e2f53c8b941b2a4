/* Every way to get a setting wrong says where and what; what ships equals the
 * table; a reload knows what changed. */
#include "unit/test.h"

#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/config.h"
#include "daemon/config_table.h"

#define SOURCE TEST_SOURCE_DIR "/../"

struct fixture {
	char directory[64];
	char file[96];
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->directory, "/tmp/tocsin-config-XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	snprintf(f->file, sizeof(f->file), "%s/t.ini", f->directory);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", f->directory);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

static void
write_bytes(const char *path, const char *bytes, size_t length)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, length, file), length);
	assert_int_equal(fclose(file), 0);
}

static void
write_file(const struct fixture *f, const char *name, const char *text)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/%s", f->directory, name);
	write_bytes(path, text, strlen(text));
}

static char *
read_file(const char *path)
{
	char *text = NULL;
	size_t length = 0;
	FILE *file = fopen(path, "r");

	if (!file)
		fail_msg("%s: %s", path, strerror(errno));
	if (getdelim(&text, &length, '\0', file) < 0)
		fail_msg("%s is empty", path);
	fclose(file);
	return text;
}

/* What config_check prints, without the directory's name. */
static char *
check(const struct fixture *f, int *ret_result)
{
	char *text = NULL, *at;
	size_t size = 0, skip = strlen(f->directory) + 1;
	FILE *out = open_memstream(&text, &size);

	*ret_result = config_check(f->file, out);
	fclose(out);
	while ((at = strstr(text, f->directory)))
		memmove(at, at + skip, strlen(at + skip) + 1);
	return text;
}

static struct config *
load(const struct fixture *f, const char *text)
{
	struct config *config = NULL;
	struct err err = { "" };

	write_file(f, "t.ini", text);
	if (config_load(f->file, &config, &err) < 0)
		fail_msg("%s", err.text);
	return config;
}

/* ---- errors ---------------------------------------------------------------------- */

#define L "[listener a]\n"

static const struct {
	const char *text, *error;
} wrong[] = {
	{ "x = 1\n" L, "t.ini:1: 'x' stands before the first [section]\n" },
	{ L "[jornal]\nretention = 1d\n",
	    "t.ini:2: there is no section [jornal] (did you mean [journal]?)\n" },
	{ L "[journal\n",
	    "t.ini:2: a section is written [name] and nothing else\n" },
	{ L "[journal] x\n",
	    "t.ini:2: a section is written [name] and nothing else\n" },
	{ L "[journal]\nretension = 1d\n",
	    "t.ini:3: [journal] has no key 'retension' (did you mean retention?)\n" },
	{ L "adress = ::\n",
	    "t.ini:2: a listener has no key 'adress' (did you mean address?)\n" },
	{ L "[journal]\nretention 1d\n",
	    "t.ini:3: this is neither [section] nor key = value\n" },
	{ L "[journal]\nretention: x = 1d\n",
	    "t.ini:3: a key holds no ':', write key = value\n" },
	{ L "[journal]\nretention = 1d\n  retention = 2d\n",
	    "t.ini:4: retention is already set at t.ini:3\n" },
	{ L "[journal]\nretention = 1 day\n",
	    "t.ini:3: retention: '1 day' is not a duration: write a number and us, ms, s, min, h or d (30s)\n" },
	{ L "[journal]\nretention = 7\n",
	    "t.ini:3: retention: '7' is not a duration: write a number and us, ms, s, min, h or d (30s)\n" },
	{ L "[journal]\nretention = 7d ; a week\n",
	    "t.ini:3: retention: '7d ; a week' is not a duration: write a number and us, ms, s, min, h or d (30s)\n" },
	{ L "[journal]\nbudget = 1GB\n",
	    "t.ini:3: budget: '1GB' is not a size: write a number and B, KiB, MiB, GiB or TiB (64MiB)\n" },
	{ L "[journal]\nsegment_size = 1KiB\n",
	    "t.ini:3: segment_size: '1KiB' is not between 1MiB and 1GiB\n" },
	{ L "[journal]\nsegment_size = 1048577B\n",
	    "t.ini:3: segment_size is not a multiple of 4KiB\n" },
	{ L "[journal]\nbudget = 128MiB\n",
	    "t.ini:3: budget is less than four times segment_size\n" },
	{ L "[node]\nname =\n", "t.ini:3: name: may not be empty\n" },
	{ L "[node]\nname = a b\n",
	    "t.ini:3: name: 'a b' has a character other than letters, digits, '.', '_' and '-'\n" },
	{ L "[node]\nstate_dir = var\n",
	    "t.ini:3: state_dir: 'var' is not an absolute path (it begins with /)\n" },
	{ L "[directory]\nmaster_key_file = credential:x\n",
	    "t.ini:3: master_key_file: 'credential:x' names a credential, but the service manager passed none\n" },
	{ L "[ingress]\nworkers = two\n",
	    "t.ini:3: workers: 'two' is not a whole number\n" },
	{ L "[ingress]\nworkers = 65\n",
	    "t.ini:3: workers: '65' is not between 0 and 64\n" },
	{ L "transport = sctp\n",
	    "t.ini:2: transport: 'sctp' is not possible here, only tcp, udp, tls, tcp-connect, unix, directory\n" },
	{ L "transport = tls\n",
	    "t.ini:1: [listener a] has transport = tls and no certificate\n" },
	{ L "certificate = c.pem\n",
	    "t.ini:2: [listener a] has a certificate, but its transport is not tls\n" },
	{ L "transport = tls\ncertificate = /nonexistent/c.pem\n",
	    "t.ini:3: certificate: /nonexistent/c.pem: No such file or directory\n" },
	{ L "transport = tls\ncertificate = /dev/null\n",
	    "t.ini:3: certificate: /dev/null: no start line\n" },
	{ L "transport = tls\ncertificate = /dev/null\nport = 7\n[listener b]\nport = 7\n",
	    "t.ini:3: certificate: /dev/null: no start line\n"
	    "t.ini:6: [listener b] listens where [listener a] does (0.0.0.0 port 7)\n" },
	{ L "protocol = surgard\ntransport = udp\n",
	    "t.ini:2: [listener a] has transport = udp, which only dc09 has\n" },
	{ L "transport = tcp-connect\n",
	    "t.ini:1: [listener a] has transport = tcp-connect, which needs the protocol and the port of a receiver\n" },
	{ L "protocol = contact-id\ntransport = unix\naddress = run/x\n",
	    "t.ini:4: address: 'run/x' is not an absolute path (it begins with /)\n" },
	{ L "protocol = contact-id\ntransport = unix\naddress = /run/x\n"
	    "[listener b]\nprotocol = surgard\ntransport = unix\naddress = /run/x\nport = 1\n",
	    "t.ini:5: [listener b] has the path of [listener a] (/run/x)\n" },
	{ L "transport = unix\naddress = /run/x\n",
	    "t.ini:1: [listener a] has transport = unix, which dc09 has not\n" },
	{ L "protocol = surgard\ntransport = directory\naddress = /run/x\n",
	    "t.ini:2: [listener a] has transport = directory, which needs protocol = contact-id\n" },
	{ L "protocol = contact-id\ntransport = directory\naddress = /run/x\nunknown_account = ignore\n",
	    "t.ini:2: [listener a] ignores unknown accounts: their files would wait for ever\n" },
	{ L "protocol = d6500\ncipher_required = yes\n",
	    "t.ini:2: [listener a] has cipher_required: only dc09 and http can encrypt\n" },
	{ L "protocol = d6500\nkey = text:0123456789ABCDEF\n",
	    "t.ini:2: [listener a] has a key, which only dc09 has\n" },
	{ L "protocol = http\nkey = text:0123456789ABCDEF\n",
	    "t.ini:2: [listener a] has a key, which only dc09 has\n" },
	{ L "protocol = http\ntransport = tcp-connect\nport = 7\n",
	    "t.ini:2: [listener a] has transport = tcp-connect, which needs the protocol and the port of a receiver\n" },
	{ L "protocol = http\ntransport = udp\n",
	    "t.ini:2: [listener a] has transport = udp, which only dc09 has\n" },
	{ L "idle_timeout = 999ms\n",
	    "t.ini:2: [listener a] has a timeout of less than 1s\n" },
	{ L "protocol = d6500\nsilent = yes\n",
	    "t.ini:2: [listener a] has silent = yes, which only dc09 and http can be\n" },
	{ L "port = 65536\n",
	    "t.ini:2: port: '65536' is not between 0 and 65535\n" },
	{ L "ack_level = replicated\n",
	    "t.ini:2: ack_level: 'replicated' is not possible here, only local, delivered\n" },
	{ L "delivered_timeout = 500ms\n",
	    "t.ini:2: delivered_timeout: '500ms' is not between 1s and 1h\n" },
	{ L "time_window_past = 1500ms\n",
	    "t.ini:2: time_window_past: '1500ms' is not in whole seconds\n" },
	{ L "reply_timestamp = true\n",
	    "t.ini:2: reply_timestamp: 'true' is neither yes nor no\n" },
	{ L "tolerate = default, no_crc\n",
	    "t.ini:2: tolerate: 'no_crc' is no tolerance (tocsin.ini(5) lists them)\n" },
	{ L "tolerate = none, any_time\n",
	    "t.ini:2: tolerate: none stands alone\n" },
	{ L "tolerate =\n", "t.ini:2: tolerate: may not be empty: none\n" },
	{ L "key = text:0123456789ABCDEF\nkey_file = key\n",
	    "t.ini:3: key_file stands beside key: only one can be true\n" },
	{ L "key_file = absent\n",
	    "t.ini:2: key_file: absent: No such file or directory\n" },
	{ L "[listener b]\nport = 12000\n",
	    "t.ini:3: [listener b] listens where [listener a] does (0.0.0.0 port 12000)\n" },
	{ L "[listener]\nport = 1\n",
	    "t.ini:2: [listener ]: a listener has a name of letters, digits, '.', '_' and '-'\n" },
	{ "[node]\n",
	    "t.ini: there is no [listener NAME]: nothing would be received\n" },
	{ L "[egress]\nreconnect_max = 500ms\n",
	    "t.ini:3: reconnect_max is less than reconnect_min\n" },
	{ L "[egress]\nnameservers = 192.0.2.1:53,[::1]:5353,dns.example\n",
	    "t.ini:3: nameservers: 'dns.example' has no ':port'\n" },
	{ L "[watch]\nslow_sync = 10s\nspace_warning = 0.8\n",
	    "t.ini:4: space_warning: '0.8' is not a share: write a whole number and % (80%)\n"
	    "t.ini: stuck_sync is not more than slow_sync\n" },
	{ L "[watch]\nspace_warning = 95%\n",
	    "t.ini:3: space_warning: '95%' is not between 1% and 94%\n" },
	{ L "[admin]\nmetrics = 0.0.0.0:9108\n",
	    "t.ini:3: metrics: '0.0.0.0:9108' is not a loopback address (a reverse proxy carries it further)\n" },
	{ L "[log]\nlevel = verbose\n",
	    "t.ini:3: level: 'verbose' is not possible here, only error, warn, notice, info, debug\n" },
	{ L "[node]\nname = a\xff\n", "t.ini:3: name: is not UTF-8\n" },
	/* all of them, not only the first */
	{ L "port = x\n[journal\nbudget = 1\n[log]\nlevel = no\n",
	    "t.ini:2: port: 'x' is not a whole number\n"
	    "t.ini:3: a section is written [name] and nothing else\n"
	    "t.ini:6: level: 'no' is not possible here, only error, warn, notice, info, debug\n" },
};

static void
test_errors(void **state)
{
	struct fixture *f = *state;
	int result;

	for (size_t i = 0; i < COUNT(wrong); i++) {
		char *text;

		write_file(f, "t.ini", wrong[i].text);
		text = check(f, &result);
		if (result != -EINVAL || strcmp(text, wrong[i].error) != 0)
			fail_msg("row %zu: %d '%s'\nis not '%s'", i, result,
			    text, wrong[i].error);
		free(text);
	}
}

/* What inih itself would have cut, joined or read as another line. */
static void
test_lines(void **state)
{
	static const char tail[] = "\n" L;
	struct fixture *f = *state;
	char text[10000] = "[database]\nconninfo = ", *printed;
	struct config *config;
	size_t begin = strlen(text);
	int result;

	memset(text + begin, 'x', 2000);
	strcpy(text + begin + 2000, tail);
	config = load(f, text);
	assert_int_equal(strlen(config->database.conninfo), 2000);
	config_free(&config);

	memset(text + begin, 'x', 8300);
	strcpy(text + begin + 8300, tail);
	write_file(f, "t.ini", text);
	printed = check(f, &result);
	assert_string_equal(printed,
	    "t.ini:2: the line is longer than 8192 bytes\n");
	free(printed);

	write_bytes(f->file, "[node]\nname = a\0b\n" L, 18 + strlen(L));
	printed = check(f, &result);
	assert_string_equal(printed, "t.ini:2: the line holds a zero byte\n");
	free(printed);

	config = load(f,
	    "\xef\xbb\xbf[node]\r\n  name = x\r\n\tstate_dir = /a;b#c\r\n"
	    "  ; not a value\n# nor this\n" L);
	assert_string_equal(config->node.name, "x");
	assert_string_equal(config->node.state_dir, "/a;b#c");
	config_free(&config);
}

static void
test_load_error(void **state)
{
	struct fixture *f = *state;
	struct config *config = NULL;
	struct err err;

	write_file(f, "t.ini", L "port = x\nkey = y\n");
	assert_int_equal(config_load(f->file, &config, &err), -EINVAL);
	assert_null(config);
	assert_non_null(strstr(err.text,
	    "/t.ini:2: port: 'x' is not a whole number (and 1 more: tocsind -t lists them)"));
	assert_int_equal(config_load("/nonexistent/t.ini", &config, &err),
	    -ENOENT);
	assert_string_equal(err.text,
	    "/nonexistent/t.ini: cannot be read: No such file or directory");
}

/* ---- values ------------------------------------------------------------------------- */

static void
test_values(void **state)
{
	struct fixture *f = *state;
	struct config *config;
	const struct ingress_listener_config *a, *b;

	write_file(f, "keyfile", "hex:000102030405060708090a0b0c0d0e0f\n");
	config = load(f,
	    "[node]\nname = east\nstate_dir = /srv/t\n"
	    "[journal]\ndir = /disk/j\nsecond_dir = second\nsegment_size = 1MiB\n"
	    "budget = 1GiB\nretention = 36h\n"
	    "[database]\nconninfo = host=/run/pg dbname=x\n"
	    "[archive]\nenabled = no\n"
	    "[watch]\nspace_warning = 70%\n"
	    "[egress]\nstart_paused = yes\n"
	    "[listener a]\ntransport = udp\nport = 9\naddress = ::1\n"
	    "key_file = keyfile\ntime_window_past = 2min\n"
	    "tolerate = any_time, account_zeros\nunknown_account = duh\n"
	    "silent = yes\n"
	    "[listener b]\nkey = text:0123456789ABCDEF\n");
	assert_string_equal(config->journal.node, "east");
	assert_string_equal(config->journal.directory, "/disk/j");
	assert_string_equal(config->journal.second_directory, "/srv/t/second");
	assert_true(config->journal.segment_bytes == 1 << 20);
	assert_true(config->journal.budget_bytes == 1 << 30);
	assert_true(config->journal.retention_us == 36 * 3600 * 1000000ll);
	assert_string_equal(config->directory.conninfo,
	    "host=/run/pg dbname=x");
	assert_string_equal(config->directory.snapshot,
	    "/srv/t/directory.snapshot");
	assert_string_equal(config->archive.conninfo, "");
	assert_string_equal(config->dispatch.state_directory, "/srv/t");
	assert_string_equal(config->admin.socket, "/run/tocsin/control");
	assert_true(config->watch.space_warning > 0.699 &&
	    config->watch.space_warning < 0.701);
	assert_int_equal(config->egress.start_paused, 1);
	assert_int_equal(config->ingress.listener_count, 2);
	a = &config->ingress.listeners[0];
	b = &config->ingress.listeners[1];
	assert_string_equal(a->name, "a");
	assert_int_equal(a->transport, INGRESS_UDP);
	assert_int_equal(a->port, 9);
	assert_string_equal(a->address, "::1");
	assert_int_equal(a->key.length, 16);
	assert_int_equal(a->key.bytes[15], 15);
	assert_int_equal(a->window.past_s, 120);
	assert_int_equal(a->window.future_s, 20);
	assert_int_equal(a->tolerate,
	    DC09_TOLERATE_TIME | DC09_TOLERATE_ACCOUNT_ZEROS);
	assert_int_equal(a->unknown_account, INGRESS_UNKNOWN_DUH);
	assert_true(a->silent);
	assert_int_equal(b->transport, INGRESS_TCP);
	assert_false(b->silent);
	assert_int_equal(b->port, 12000);
	assert_int_equal(b->tolerate, dc09_tolerance_default);
	assert_memory_equal(b->key.bytes, "0123456789ABCDEF", 16);
	assert_true(b->idle_timeout_us == 30 * 1000000ll);
	assert_int_equal(b->junk_limit_bytes, 4096);
	config_free(&config);
}

static void
test_timeouts_suit_the_protocol(void **state)
{
	static const struct {
		const char *text;
		int64_t idle_us, first_us;
	} rows[] = {
		{ L, 30000000, 10000000 },
		{ L "protocol = surgard\n", 90000000, 90000000 },
		{ L "protocol = d6500\nidle_timeout = 5min\n", 300000000,
		    90000000 },
		{ L "first_frame_timeout = 1s\n", 30000000, 1000000 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct config *config = load(*state, rows[i].text);
		const struct ingress_listener_config *listener =
		    &config->ingress.listeners[0];

		assert_row(listener->idle_timeout_us == rows[i].idle_us, i,
		    "idle");
		assert_row(listener->first_frame_timeout_us == rows[i].first_us,
		    i, "first frame");
		config_free(&config);
	}
}

static void
test_conf_d(void **state)
{
	struct fixture *f = *state;
	struct config *config;
	char path[96], *text;
	int result;

	snprintf(path, sizeof(path), "%s/conf.d", f->directory);
	assert_int_equal(mkdir(path, 0700), 0);
	write_file(f, "conf.d/1.ini", "[listener more]\nport = 7\n");
	write_file(f, "conf.d/not-read", "nonsense\n");
	config = load(f, L);
	assert_int_equal(config->ingress.listener_count, 2);
	assert_int_equal(config->ingress.listeners[1].port, 7);
	config_free(&config);

	write_file(f, "conf.d/2.ini", "[listener more]\nport = 8\n");
	text = check(f, &result);
	assert_string_equal(text,
	    "conf.d/2.ini:2: port is already set at conf.d/1.ini:2\n");
	free(text);
}

static void
test_credential(void **state)
{
	struct fixture *f = *state;
	struct config *config;

	setenv("CREDENTIALS_DIRECTORY", "/run/credentials/x", 1);
	config =
	    load(f, L "[directory]\nmaster_key_file = credential:master\n");
	unsetenv("CREDENTIALS_DIRECTORY");
	assert_string_equal(config->directory.master_key_file,
	    "/run/credentials/x/master");
	config_free(&config);
}

/* ---- print ----------------------------------------------------------------------------- */

static char *
print(const struct config *config)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	config_print(config, out);
	fclose(out);
	return text;
}

/* What -T prints is a configuration again, the same one. */
static void
test_print(void **state)
{
	struct fixture *f = *state;
	struct config *config = load(f,
	    L
	    "port = 77\ntolerate = default, any_time\n[journal]\nretention = 1d\nbudget = 16GiB\n");
	char *first = print(config), *second;
	char expected[256];

	snprintf(expected, sizeof(expected),
	    "\n; %s:5, default 7d\nretention = 1d\n", f->file);
	assert_non_null(strstr(first, expected));
	/* set, but to the default: nothing to say */
	assert_non_null(strstr(first,
	    "\nsegment_size = 64MiB\nbudget = 16GiB\n"));
	config_free(&config);
	config = load(f, first);
	second = print(config);
	config_free(&config);
	/* the comments name other lines now */
	config = load(f, second);
	assert_int_equal(config->ingress.listeners[0].port, 77);
	assert_true(config->journal.retention_us == 86400 * 1000000ll);
	config_free(&config);
	free(first);
	free(second);
}

static void
test_secrets_stay(void **state)
{
	struct fixture *f = *state;
	struct config *config = load(f,
	    L "key = text:TopSecretTopSecr\n"
	      "[database]\nconninfo = dbname=x password=hunter2\n");
	struct json json = { 0 };
	char *text = print(config);

	json_object_begin(&json, NULL);
	config_show(config, &json);
	json_object_end(&json);
	assert_null(strstr(text, "TopSecret"));
	assert_null(strstr(text, "546f70"));
	assert_null(strstr(text, "hunter2"));
	assert_null(strstr(json_text(&json), "546f70"));
	assert_null(strstr(json_text(&json), "hunter2"));
	assert_non_null(strstr(json_text(&json), "\"retention\":\"7d\""));
	assert_non_null(strstr(json_text(&json), "\"listener a\":{"));
	json_close(&json);
	free(text);
	config_free(&config);
}

/* ---- differences ------------------------------------------------------------------------ */

static void
note_change(void *context, const struct config_change *change)
{
	fprintf(context, "[%s] %s: %s -> %s%s\n", change->section,
	    change->key ? change->key : "-", change->old_value,
	    change->new_value, change->restart ? " (restart)" : "");
}

static void
compare(const struct config *old, const struct config *fresh, FILE *out)
{
	config_file_compare(&old->owned->file, &fresh->owned->file, note_change,
	    out);
}

static void
test_compare(void **state)
{
	struct fixture *f = *state;
	struct config *old = load(f,
	    "[listener a]\nport = 1\nkey = text:0123456789ABCDEF\n[listener b]\nport = 2\n[log]\nlevel = warn\n");
	struct config *fresh = load(f,
	    "[listener a]\nport = 3\nkey = text:0123456789ABCDEG\n[listener c]\nport = 2\n[node]\nname = n\n");
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	compare(old, old, out);
	fflush(out);
	assert_int_equal(size, 0);
	compare(old, fresh, out);
	fclose(out);
	assert_string_equal(text,
	    "[node] name: tocsin -> n (restart)\n"
	    "[listener a] port: 1 -> 3\n"
	    "[listener a] key: (set, not shown) -> (set, not shown)\n"
	    "[listener b] -: there -> gone\n"
	    "[listener c] -:  -> new\n"
	    "[log] level: warn -> info\n");
	free(text);
	config_free(&old);
	config_free(&fresh);
}

/* ---- what ships -------------------------------------------------------------------------- */

static void
assert_generated(void (*write)(const struct config_schema *, FILE *),
    const struct config_schema *schema, const char *path)
{
	char *text = NULL, *shipped = read_file(path);
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	write(schema, out);
	fclose(out);
	if (strcmp(text, shipped) != 0)
		fail_msg("%s is not what src/make_settings prints", path);
	free(text);
	free(shipped);
}

static void
test_shipped(void **state)
{
	(void)state;
	assert_generated(config_write_sample, &config_schema,
	    SOURCE "etc/tocsin.ini");
	assert_generated(config_write_manual, &config_schema,
	    SOURCE "man/tocsin.ini.5");
}

/* The sample with every semicolon taken away is the default configuration, and
 * the defaults are written as values are printed. */
static void
test_sample_is_default(void **state)
{
	struct fixture *f = *state;
	char *sample = read_file(SOURCE "etc/tocsin.ini"), *line, *rest;
	char all[32768] = "";
	struct config *plain = load(f, sample), *named;
	unsigned keys = 0;

	rest = sample;
	while ((line = strsep(&rest, "\n"))) {
		keys += *line == ';';
		strcat(all, *line == ';' ? line + 1 : line);
		strcat(all, "\n");
	}
	assert_int_equal(keys, config_schema.table_count);
	named = load(f, all);
	compare(plain, named, stdout);
	for (size_t i = 0; i < config_schema.table_count; i++) {
		const struct config_setting *row = &config_schema.table[i];
		struct config_listener *listener = &plain->owned->listeners[0];
		char value[CONFIG_VALUE_SIZE], wanted[CONFIG_VALUE_SIZE];

		config_value_format(row,
		    config_is_repeated(&config_schema, row->section)
			? (void *)listener
			: plain,
		    value);
		assert_int_equal(config_path_resolve(&plain->owned->file,
				     row->type == CONFIG_PATH
					 ? row->base
					 : CONFIG_BASE_NONE,
				     row->standard, wanted),
		    0);
		assert_row(strcmp(value, wanted) == 0, i, row->key);
		config_value_format(row,
		    config_is_repeated(&config_schema, row->section)
			? (void *)&named->owned->listeners[0]
			: named,
		    value);
		assert_row(strcmp(value, wanted) == 0, i, row->key);
	}
	config_free(&plain);
	config_free(&named);
	free(sample);
}

/* The build knows every migration in the tree. */
static void
test_newest_schema(void **state)
{
	glob_t found;
	const char *name;

	(void)state;
	assert_int_equal(glob(SOURCE "sql/[0-9]*.sql", 0, NULL, &found), 0);
	name = strrchr(found.gl_pathv[found.gl_pathc - 1], '/') + 1;
	assert_int_equal(atoi(name), CONFIG_NEWEST_SCHEMA);
	globfree(&found);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_errors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lines, setup, teardown),
		cmocka_unit_test_setup_teardown(test_load_error, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_values, setup, teardown),
		cmocka_unit_test_setup_teardown(test_timeouts_suit_the_protocol,
		    setup, teardown),
		cmocka_unit_test_setup_teardown(test_conf_d, setup, teardown),
		cmocka_unit_test_setup_teardown(test_credential, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_print, setup, teardown),
		cmocka_unit_test_setup_teardown(test_secrets_stay, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_compare, setup, teardown),
		cmocka_unit_test(test_shipped),
		cmocka_unit_test_setup_teardown(test_sample_is_default, setup,
		    teardown),
		cmocka_unit_test(test_newest_schema),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
