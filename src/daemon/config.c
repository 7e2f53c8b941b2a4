#include "daemon/config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/socket.h"
#include "daemon/config_table.h"

#define SEGMENT_UNIT 4096
#define KEY_FILE_MAX 256

struct config_text {
	struct config_text *next;
	char text[];
};

/* ---- life ------------------------------------------------------------------------- */

const char *
config_keep(struct config *config, const char *text)
{
	size_t size = strlen(text) + 1;
	struct config_text *kept = malloc(sizeof(*kept) + size);

	if (!kept)
		return NULL;
	memcpy(kept->text, text, size);
	kept->next = config->owned->texts;
	config->owned->texts = kept;
	return kept->text;
}

/* The defaults of struct config (listener NULL) or of one listener. */
static int
set_defaults(struct config *config, struct config_listener *listener)
{
	struct err err;

	for (size_t i = 0; i < config_table_count; i++) {
		const struct config_setting *setting = &config_table[i];
		void *object = listener ? (void *)listener : (void *)config;

		if (config_is_listener(setting) != (listener != NULL))
			continue;
		if (config_value_parse(config, setting, object,
			setting->standard, &err) == -ENOMEM)
			return -ENOMEM;
	}
	return 0;
}

struct config *
config_create(const char *path)
{
	struct config *config = calloc(1, sizeof(*config));

	if (!config)
		return NULL;
	config->owned = calloc(1, sizeof(*config->owned));
	if (config->owned) {
		config->owned->path = config_keep(config, path);
		config->owned->origins =
		    calloc(config_table_count, sizeof(*config->owned->origins));
	}
	if (!config->owned || !config->owned->path || !config->owned->origins ||
	    set_defaults(config, NULL) < 0)
		config_free(&config);
	return config;
}

void
config_free(struct config **config)
{
	struct config *old = *config;
	struct config_text *next;

	*config = NULL;
	if (!old)
		return;
	if (old->owned) {
		for (unsigned i = 0; i < old->owned->listener_count; i++)
			free(old->owned->listeners[i].origins);
		for (struct config_text *t = old->owned->texts; t; t = next) {
			next = t->next;
			explicit_bzero(t->text, strlen(t->text));
			free(t);
		}
		free(old->owned->origins);
		explicit_bzero(old->owned, sizeof(*old->owned));
	}
	free(old->owned);
	free(old);
}

int
config_add_listener(struct config *config, const char *name,
    const struct config_origin *origin, struct config_listener **ret)
{
	struct config_owned *owned = config->owned;
	struct config_listener *listener =
	    &owned->listeners[owned->listener_count];
	char title[64 + sizeof(CONFIG_SECTION_LISTENER)];

	if (owned->listener_count == CONFIG_LISTENERS_MAX)
		return -ENOSPC;
	snprintf(title, sizeof(title), CONFIG_SECTION_LISTENER " %.60s", name);
	listener->title = config_keep(config, title);
	listener->ingress.name = config_keep(config, name);
	listener->origin = *origin;
	listener->origins =
	    calloc(config_table_count, sizeof(*listener->origins));
	owned->listener_count++;
	if (!listener->title || !listener->ingress.name || !listener->origins ||
	    set_defaults(config, listener) < 0) {
		free(listener->origins);
		memset(listener, 0, sizeof(*listener));
		owned->listener_count--;
		return -ENOMEM;
	}
	*ret = listener;
	return 0;
}

/* ---- what holds between settings ----------------------------------------------------- */

/* Where a member of struct config was set; the main file when nowhere. */
static struct config_origin
origin_of(const struct config *config, size_t offset)
{
	for (size_t i = 0; i < config_table_count; i++)
		if (!config_is_listener(&config_table[i]) &&
		    config_table[i].offset == offset &&
		    config->owned->origins[i].file)
			return config->owned->origins[i];
	return (struct config_origin){ config->owned->path, 0 };
}
#define ORIGIN(config, member)                                                 \
 (&(struct config_origin){                                                     \
     origin_of((config), offsetof(struct config, member)).file,                \
     origin_of((config), offsetof(struct config, member)).line })

static struct config_origin
listener_origin(const struct config_listener *listener, size_t offset)
{
	for (size_t i = 0; i < config_table_count; i++)
		if (config_is_listener(&config_table[i]) &&
		    config_table[i].offset == offset &&
		    listener->origins[i].file)
			return listener->origins[i];
	return listener->origin;
}

static void
resolve_path(struct config *config, const struct config_setting *setting,
    void *object, const struct config_origin *origin,
    struct config_problems *problems)
{
	char path[CONFIG_VALUE_SIZE];
	const char *given, *kept;
	int result;

	memcpy(&given, (char *)object + setting->offset, sizeof(given));
	result = config_path_resolve(config, setting->base, given, path);
	if (result == 0 && strlen(path) > (size_t)setting->max)
		result = -ENAMETOOLONG;
	if (result < 0) {
		config_problem(problems, origin,
		    result == -ENOENT
			? "%s: '%s' names a credential, but the service manager passed none"
			: "%s: '%s' becomes too long a path",
		    setting->key, given);
		return;
	}
	kept = config_keep(config, path);
	if (kept)
		memcpy((char *)object + setting->offset, &kept, sizeof(kept));
}

static void
resolve_paths(struct config *config, struct config_problems *problems)
{
	struct config_owned *owned = config->owned;

	for (size_t i = 0; i < config_table_count; i++) {
		const struct config_setting *setting = &config_table[i];
		struct config_origin origin =
		    origin_of(config, setting->offset);

		if (setting->type != CONFIG_PATH)
			continue;
		if (!config_is_listener(setting))
			resolve_path(config, setting, config, &origin,
			    problems);
		for (unsigned l = 0;
		     l < owned->listener_count && config_is_listener(setting);
		     l++) {
			origin = listener_origin(&owned->listeners[l],
			    setting->offset);
			resolve_path(config, setting, &owned->listeners[l],
			    &origin, problems);
		}
	}
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
load_key_file(struct config_listener *listener,
    struct config_problems *problems)
{
	struct config_origin origin = listener_origin(listener,
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
check_address(const struct config_listener *listener,
    struct config_problems *problems)
{
	struct config_origin origin = listener_origin(listener,
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
check_certificate(const struct config_listener *listener,
    struct config_problems *problems)
{
	const struct ingress_tls_config *tls = &listener->ingress.tls;
	struct config_origin origin = listener_origin(listener,
	    offsetof(struct config_listener, ingress.tls.certificate));
	bool wanted = listener->ingress.transport == INGRESS_TLS;
	struct err err;

	if (wanted && *tls->certificate == '\0')
		config_problem(problems, &origin,
		    "[%s] has transport = tls and no certificate",
		    listener->title);
	else if (!wanted && *tls->certificate)
		config_problem(problems, &origin,
		    "[%s] has a certificate, but its transport is not tls",
		    listener->title);
	else if (wanted && ingress_check_tls(tls, &err) < 0)
		config_problem(problems, &origin, "%s", err.text);
}

static void
check_protocol(const struct config_listener *listener,
    struct config_problems *problems)
{
	const struct ingress_listener_config *mine = &listener->ingress;
	struct config_origin origin = listener_origin(listener,
	    offsetof(struct config_listener, ingress.protocol));

	if (mine->transport == INGRESS_TCP_CONNECT &&
	    (mine->protocol == INGRESS_DC09 || mine->port == 0))
		config_problem(problems, &origin,
		    "[%s] has transport = tcp-connect, which needs the protocol "
		    "and the port of a receiver",
		    listener->title);
	if (mine->transport == INGRESS_DIRECTORY &&
	    mine->protocol != INGRESS_CONTACT_ID)
		config_problem(problems, &origin,
		    "[%s] has transport = directory, which needs protocol = "
		    "contact-id",
		    listener->title);
	if (mine->transport == INGRESS_DIRECTORY &&
	    mine->unknown_account == INGRESS_UNKNOWN_IGNORE)
		config_problem(problems, &origin,
		    "[%s] ignores unknown accounts: their files would wait for "
		    "ever",
		    listener->title);
	if (mine->transport == INGRESS_UNIX && mine->protocol == INGRESS_DC09)
		config_problem(problems, &origin,
		    "[%s] has transport = unix, which dc09 has not",
		    listener->title);
	if (mine->protocol == INGRESS_DC09)
		return;
	if (mine->transport == INGRESS_UDP)
		config_problem(problems, &origin,
		    "[%s] has transport = udp, which only dc09 has",
		    listener->title);
	if (mine->silent)
		config_problem(problems, &origin,
		    "[%s] has silent = yes, which only dc09 can be",
		    listener->title);
	if (mine->key.length || *listener->key_file || mine->cipher_required)
		config_problem(problems, &origin,
		    "[%s] has a key or cipher_required: only dc09 can encrypt",
		    listener->title);
}

static void
check_listener(const struct config_owned *owned, unsigned index,
    struct config_problems *problems)
{
	const struct config_listener *listener = &owned->listeners[index];
	const struct ingress_listener_config *mine = &listener->ingress;
	struct config_origin port = listener_origin(listener,
	    offsetof(struct config_listener, ingress.port));
	struct config_origin file = listener_origin(listener,
	    offsetof(struct config_listener, key_file));

	check_address(listener, problems);
	check_certificate(listener, problems);
	check_protocol(listener, problems);
	if (*listener->key_file && mine->key.length)
		config_problem(problems, &file,
		    "key_file stands beside key: only one can be true");
	for (unsigned i = 0; i < index; i++) {
		const struct ingress_listener_config *other =
		    &owned->listeners[i].ingress;

		if (!ingress_same_place(other, mine))
			continue;
		if (ingress_has_path(mine->transport))
			config_problem(problems, &listener->origin,
			    "[%s] has the path of [%s] (%s)", listener->title,
			    owned->listeners[i].title, mine->address);
		else if (mine->port)
			config_problem(problems, &port,
			    "[%s] listens where [%s] does (%s port %u)",
			    listener->title, owned->listeners[i].title,
			    mine->address, mine->port);
	}
}

static void
finish_listeners(struct config *config, struct config_problems *problems)
{
	struct config_owned *owned = config->owned;

	if (owned->listener_count == 0)
		config_problem(problems,
		    &(struct config_origin){ owned->path, 0 },
		    "there is no [listener NAME]: nothing would be received");
	for (unsigned i = 0; i < owned->listener_count; i++) {
		struct config_listener *listener = &owned->listeners[i];

		check_listener(owned, i, problems);
		if (*listener->key_file && !listener->ingress.key.length)
			load_key_file(listener, problems);
		owned->ingress[i] = listener->ingress;
	}
	config->ingress.listener_count = owned->listener_count;
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
read_conf_d(struct config *config, struct config_problems *problems)
{
	char pattern[CONFIG_VALUE_SIZE];
	struct config_origin origin = { NULL, 0 };
	glob_t found;
	int result = config_path_resolve(config, CONFIG_BASE_FILE,
	    "conf.d/*.ini", pattern);

	if (result < 0)
		return result;
	if (glob(pattern, 0, NULL, &found) != 0)
		return 0;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		result = config_read_file(config, found.gl_pathv[i], problems);
		origin.file = found.gl_pathv[i];
		if (result < 0)
			config_problem(problems, &origin, "cannot be read: %s",
			    strerror(-result));
	}
	globfree(&found);
	return 0;
}

static int
read_all(const char *path, struct config_problems *problems,
    struct config **ret)
{
	struct config *config = config_create(path);
	struct config_origin origin = { path, 0 };
	int result;

	if (!config) {
		config_problem(problems, &origin, "no memory");
		return -ENOMEM;
	}
	result = config_read_file(config, path, problems);
	if (result < 0) {
		config_problem(problems, &origin, "cannot be read: %s",
		    strerror(-result));
		config_free(&config);
		return result;
	}
	read_conf_d(config, problems);
	resolve_paths(config, problems);
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

	if (result == 0)
		return 0;
	if (problems.count > 1)
		return err_set(err, result,
		    "%.400s (and %u more: tocsind -t lists them)", first.text,
		    problems.count - 1);
	return err_set(err, result, "%s", first.text);
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
