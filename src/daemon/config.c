#include "daemon/config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/socket.h"
#include "daemon/config_table.h"

#define SEGMENT_UNIT 4096
#define KEY_FILE_MAX 256

/* ---- life ------------------------------------------------------------------------- */

static struct config *
create(const char *path)
{
	struct config *config = calloc(1, sizeof(*config));

	if (!config)
		return NULL;
	config->owned = calloc(1, sizeof(*config->owned));
	if (!config->owned ||
	    config_file_open(&config->owned->file, &config_schema, path, config,
		config->owned->listeners) < 0)
		config_free(&config);
	return config;
}

void
config_free(struct config **config)
{
	struct config *old = *config;

	*config = NULL;
	if (!old)
		return;
	if (old->owned) {
		config_file_close(&old->owned->file);
		explicit_bzero(old->owned, sizeof(*old->owned));
	}
	free(old->owned);
	free(old);
}

/* ---- what holds between settings ----------------------------------------------------- */

#define ORIGIN(config, member)                                                 \
 (&(struct config_origin){ config_origin(&(config)->owned->file, NULL,         \
			       offsetof(struct config, member))                \
			       .file,                                          \
     config_origin(&(config)->owned->file, NULL,                               \
	 offsetof(struct config, member))                                      \
	 .line })

static struct config_origin
listener_origin(const struct config_owned *owned,
    const struct config_listener *listener, size_t offset)
{
	return config_origin(&owned->file, listener->group, offset);
}

static void
check_nameservers(const struct config *config, struct config_problems *problems)
{
	const char *list = config->egress.nameservers;
	struct socket_address address;
	struct err err;
	int result;

	while ((result = socket_address_next(&list, &address, &err)) > 0)
		;
	if (result < 0)
		config_problem(problems, ORIGIN(config, egress.nameservers),
		    "nameservers: %s", err.text);
}

static void
check_global(const struct config *config, struct config_problems *problems)
{
	const struct journal_config *journal = &config->journal;
	const char *name = config->node.name;
	struct socket_address address;
	struct err err;

	if (name[strspn(name,
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789._-")])
		config_problem(problems, ORIGIN(config, node.name),
		    "name: '%s' has a character other than letters, digits, '.', '_' and '-'",
		    name);
	if (journal->segment_bytes % SEGMENT_UNIT)
		config_problem(problems, ORIGIN(config, journal.segment_bytes),
		    "segment_size is not a multiple of 4KiB");
	if (journal->budget_bytes < 4 * journal->segment_bytes)
		config_problem(problems, ORIGIN(config, journal.budget_bytes),
		    "budget is less than four times segment_size");
	if (config->egress.reconnect_max_us < config->egress.reconnect_min_us)
		config_problem(problems,
		    ORIGIN(config, egress.reconnect_max_us),
		    "reconnect_max is less than reconnect_min");
	check_nameservers(config, problems);
	if (config->watch.stuck_sync_us <= config->watch.slow_sync_us)
		config_problem(problems, ORIGIN(config, watch.stuck_sync_us),
		    "stuck_sync is not more than slow_sync");
	if (*config->admin.metrics == '\0')
		return;
	if (socket_address_parse(config->admin.metrics, &address, &err) < 0)
		config_problem(problems, ORIGIN(config, admin.metrics),
		    "metrics: %s", err.text);
	else if (address.any.sa_family == AF_INET
		? ntohl(address.v4.sin_addr.s_addr) >> 24 != 127
		: !IN6_IS_ADDR_LOOPBACK(&address.v6.sin6_addr))
		config_problem(problems, ORIGIN(config, admin.metrics),
		    "metrics: '%s' is not a loopback address (a reverse proxy carries it further)",
		    config->admin.metrics);
}

/* The first line of the file becomes the key. */
static void
load_key_file(const struct config_owned *owned,
    struct config_listener *listener, struct config_problems *problems)
{
	struct config_origin origin = listener_origin(owned, listener,
	    offsetof(struct config_listener, key_file));
	const char *problem = NULL;
	char line[KEY_FILE_MAX];
	FILE *file = fopen(listener->key_file, "re");
	bool read = file && fgets(line, sizeof(line), file);

	if (!read) {
		config_problem(problems, &origin, "key_file: %s: %s",
		    listener->key_file, file ? "empty" : strerror(errno));
	} else {
		line[strcspn(line, "\r\n")] = '\0';
		if (codec_key_parse(slice_from_string(line),
			&listener->ingress.key, &problem) < 0)
			config_problem(problems, &origin, "key_file: %s: %s",
			    listener->key_file, problem);
	}
	if (file)
		fclose(file);
	explicit_bzero(line, sizeof(line));
}

static void
check_address(const struct config_owned *owned,
    const struct config_listener *listener, struct config_problems *problems)
{
	struct config_origin origin = listener_origin(owned, listener,
	    offsetof(struct config_listener, ingress.address));
	enum ingress_transport transport = listener->ingress.transport;
	struct socket_address address;
	struct err err;

	if (ingress_has_path(transport)) {
		if (*listener->ingress.address != '/')
			config_problem(problems, &origin,
			    "address: '%s' is not an absolute path (it begins "
			    "with /)",
			    listener->ingress.address);
		return;
	}
	if (socket_address_make(listener->ingress.address,
		listener->ingress.port, &address, &err) < 0)
		config_problem(problems, &origin, "address: %s", err.text);
}

static void
check_certificate(const struct config_owned *owned,
    const struct config_listener *listener, struct config_problems *problems)
{
	const struct ingress_tls_config *tls = &listener->ingress.tls;
	struct config_origin origin = listener_origin(owned, listener,
	    offsetof(struct config_listener, ingress.tls.certificate));
	bool wanted = listener->ingress.transport == INGRESS_TLS;
	struct err err;

	if (wanted && *tls->certificate == '\0')
		config_problem(problems, &origin,
		    "[%s] has transport = tls and no certificate",
		    listener->group->title);
	else if (!wanted && *tls->certificate)
		config_problem(problems, &origin,
		    "[%s] has a certificate, but its transport is not tls",
		    listener->group->title);
	else if (wanted && ingress_check_tls(tls, &err) < 0)
		config_problem(problems, &origin, "%s", err.text);
}

static void
check_protocol(const struct config_owned *owned,
    const struct config_listener *listener, struct config_problems *problems)
{
	const struct ingress_listener_config *mine = &listener->ingress;
	struct config_origin origin = listener_origin(owned, listener,
	    offsetof(struct config_listener, ingress.protocol));

	if (mine->transport == INGRESS_TCP_CONNECT &&
	    (mine->protocol == INGRESS_DC09 || mine->protocol == INGRESS_HTTP ||
		mine->port == 0))
		config_problem(problems, &origin,
		    "[%s] has transport = tcp-connect, which needs the protocol "
		    "and the port of a receiver",
		    listener->group->title);
	if (mine->transport == INGRESS_DIRECTORY &&
	    mine->protocol != INGRESS_CONTACT_ID)
		config_problem(problems, &origin,
		    "[%s] has transport = directory, which needs protocol = "
		    "contact-id",
		    listener->group->title);
	if (mine->transport == INGRESS_DIRECTORY &&
	    mine->unknown_account == INGRESS_UNKNOWN_IGNORE)
		config_problem(problems, &origin,
		    "[%s] ignores unknown accounts: their files would wait for "
		    "ever",
		    listener->group->title);
	if (mine->transport == INGRESS_UNIX && mine->protocol == INGRESS_DC09)
		config_problem(problems, &origin,
		    "[%s] has transport = unix, which dc09 has not",
		    listener->group->title);
	if (mine->protocol == INGRESS_DC09)
		return;
	if (mine->transport == INGRESS_UDP)
		config_problem(problems, &origin,
		    "[%s] has transport = udp, which only dc09 has",
		    listener->group->title);
	if (mine->key.length || *listener->key_file)
		config_problem(problems, &origin,
		    "[%s] has a key, which only dc09 has",
		    listener->group->title);
	if (mine->protocol == INGRESS_HTTP)
		return;
	if (mine->silent)
		config_problem(problems, &origin,
		    "[%s] has silent = yes, which only dc09 and http can be",
		    listener->group->title);
	if (mine->cipher_required)
		config_problem(problems, &origin,
		    "[%s] has cipher_required: only dc09 and http can encrypt",
		    listener->group->title);
}

/* Below it a panel could not even speak. */
#define TIMEOUT_LEAST_US 1000000

/* Where nothing is said, what the protocol needs. */
static void
set_timeouts(struct ingress_listener_config *listener)
{
	bool dc09 = listener->protocol == INGRESS_DC09;

	if (listener->idle_timeout_us == 0)
		listener->idle_timeout_us = dc09 ? 30000000 : 90000000;
	if (listener->first_frame_timeout_us == 0)
		listener->first_frame_timeout_us = dc09 ? 10000000 : 90000000;
}

static void
check_timeout(const struct config_owned *owned,
    const struct config_listener *listener, size_t offset, int64_t timeout_us,
    struct config_problems *problems)
{
	struct config_origin origin = listener_origin(owned, listener, offset);

	if (timeout_us != 0 && timeout_us < TIMEOUT_LEAST_US)
		config_problem(problems, &origin,
		    "[%s] has a timeout of less than 1s",
		    listener->group->title);
}

static void
check_timeouts(const struct config_owned *owned,
    const struct config_listener *listener, struct config_problems *problems)
{
	check_timeout(owned, listener,
	    offsetof(struct config_listener, ingress.idle_timeout_us),
	    listener->ingress.idle_timeout_us, problems);
	check_timeout(owned, listener,
	    offsetof(struct config_listener, ingress.first_frame_timeout_us),
	    listener->ingress.first_frame_timeout_us, problems);
}

static void
check_listener(const struct config_owned *owned, unsigned index,
    struct config_problems *problems)
{
	const struct config_listener *listener = &owned->listeners[index];
	const struct ingress_listener_config *mine = &listener->ingress;
	struct config_origin port = listener_origin(owned, listener,
	    offsetof(struct config_listener, ingress.port));
	struct config_origin file = listener_origin(owned, listener,
	    offsetof(struct config_listener, key_file));

	check_address(owned, listener, problems);
	check_certificate(owned, listener, problems);
	check_protocol(owned, listener, problems);
	check_timeouts(owned, listener, problems);
	if (*listener->key_file && mine->key.length)
		config_problem(problems, &file,
		    "key_file stands beside key: only one can be true");
	for (unsigned i = 0; i < index; i++) {
		const struct ingress_listener_config *other =
		    &owned->listeners[i].ingress;

		if (!ingress_same_place(other, mine))
			continue;
		if (ingress_has_path(mine->transport))
			config_problem(problems, &listener->group->origin,
			    "[%s] has the path of [%s] (%s)",
			    listener->group->title,
			    owned->listeners[i].group->title, mine->address);
		else if (mine->port)
			config_problem(problems, &port,
			    "[%s] listens where [%s] does (%s port %u)",
			    listener->group->title,
			    owned->listeners[i].group->title, mine->address,
			    mine->port);
	}
}

static void
finish_listeners(struct config *config, struct config_problems *problems)
{
	struct config_owned *owned = config->owned;

	if (owned->file.group_count == 0)
		config_problem(problems,
		    &(struct config_origin){ owned->file.path, 0 },
		    "there is no [listener NAME]: nothing would be received");
	for (unsigned i = 0; i < owned->file.group_count; i++) {
		struct config_listener *listener = &owned->listeners[i];

		listener->group = &owned->file.groups[i];
		listener->ingress.name = listener->group->name;
		check_listener(owned, i, problems);
		if (*listener->key_file && !listener->ingress.key.length)
			load_key_file(owned, listener, problems);
		owned->ingress[i] = listener->ingress;
		set_timeouts(&owned->ingress[i]);
	}
	config->ingress.listener_count = owned->file.group_count;
	config->ingress.listeners = owned->ingress;
}

/* What one setting says to several stages. */
static void
fill_stages(struct config *config)
{
	config->journal.node = config->node.name;
	if (*config->journal.second_directory == '\0')
		config->journal.second_directory = NULL;
	config->directory.conninfo = config->database.conninfo;
	config->directory.newest_schema = CONFIG_NEWEST_SCHEMA;
	config->archive.conninfo =
	    config->archive_enabled ? config->database.conninfo : "";
	config->archive.newest_schema = CONFIG_NEWEST_SCHEMA;
	config->dispatch.state_directory = config->node.state_dir;
	config->egress.node = config->node.name;
	config->watch.state_directory = config->node.state_dir;
	config->watch.checkpoint_us = config->dispatch.checkpoint_us;
}

/* ---- reading -------------------------------------------------------------------------- */

static int
read_all(const char *path, struct config_problems *problems,
    struct config **ret)
{
	struct config *config = create(path);
	struct config_origin origin = { path, 0 };
	int result;

	if (!config) {
		config_problem(problems, &origin, "no memory");
		return -ENOMEM;
	}
	result = config_file_read(&config->owned->file, problems, true);
	if (result < 0) {
		config_free(&config);
		return result;
	}
	check_global(config, problems);
	finish_listeners(config, problems);
	fill_stages(config);
	if (problems->count) {
		config_free(&config);
		return -EINVAL;
	}
	*ret = config;
	return 0;
}

int
config_load(const char *path, struct config **ret, struct err *err)
{
	struct err first = { "" };
	struct config_problems problems = { .err = &first };
	int result = read_all(path, &problems, ret);

	return result == 0
	    ? 0
	    : config_summary(&config_schema, &problems, result, err);
}

int
config_check(const char *path, FILE *out)
{
	struct config_problems problems = { .out = out };
	struct config *config = NULL;
	int result = read_all(path, &problems, &config);

	config_free(&config);
	return result == 0 ? 0 : -EINVAL;
}

/* ---- for people ------------------------------------------------------------------------- */

void
config_print(const struct config *config, FILE *out)
{
	config_file_print(&config->owned->file, out);
}

void
config_show(const struct config *config, struct json *json)
{
	config_file_show(&config->owned->file, json);
}

void
config_log_changes(const struct config *old, const struct config *fresh)
{
	config_file_log_changes(&old->owned->file, &fresh->owned->file);
}
