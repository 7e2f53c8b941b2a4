#include "portal/settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "portal/work.h"

#define AT(member)                                                             \
 .offset = offsetof(struct settings, member),                                  \
 .width = sizeof(((struct settings *)0)->member)

static const struct config_section sections[] = {
	{ .name = "portal", .help = "Where browsers and programs find it." },
	{ .name = "database",
	    .help = "PostgreSQL: everything that it shows and changes." },
	{ .name = "tocsind",
	    .help = "The running daemon: live signals, links, arming." },
};

static const struct config_setting table[] = {
	/* ---- portal ---- */
	{ "portal", "listen", CONFIG_STRING, AT(server.listen), .min = 1,
	    .max = 100, .standard = "127.0.0.1:8443",
	    .help =
		"Numeric address and port. Without a certificate only on loopback.\n"
		"Port 0: any that is free (tests)." },
	{ "portal", "certificate", CONFIG_PATH, AT(server.certificate),
	    .max = 900, .standard = "", .base = CONFIG_BASE_FILE,
	    .reload = true,
	    .help =
		"PEM file with the certificate and its chain, relative to this\n"
		"one; credential:NAME is a credential that systemd passed. Read\n"
		"anew by each reload. Empty: plain HTTP." },
	{ "portal", "key", CONFIG_PATH, AT(server.key), .max = 900,
	    .standard = "", .base = CONFIG_BASE_FILE, .reload = true,
	    .help = "PEM file with the certificate's key, in the same way." },
	{ "portal", "origin", CONFIG_STRING, AT(server.origin), .max = 200,
	    .standard = "", .reload = true,
	    .help =
		"The portal as browsers see it where a proxy stands before it:\n"
		"https://portal.example. Empty: by the request's Host." },
	{ "portal", "behind_proxy", CONFIG_BOOLEAN, AT(server.behind_proxy),
	    .standard = "no", .reload = true,
	    .help =
		"The last address in X-Forwarded-For is who asks. Only where every\n"
		"request comes through a proxy that sets it." },
	{ "portal", "web", CONFIG_PATH, AT(server.web), .max = 900,
	    .standard = "", .base = CONFIG_BASE_FILE, .reload = true,
	    .help =
		"Directory of the pages, read anew by each reload; links and what\n"
		"begins with a dot are left out. Empty: those that were installed." },
	{ "portal", "master_key_file", CONFIG_PATH, AT(server.master_key),
	    .max = 900, .standard = "", .base = CONFIG_BASE_FILE,
	    .help =
		"32 bytes, raw or as 64 hexadecimal digits, which seal the secrets\n"
		"of second factors; better a key of the portal's own than tocsind's.\n"
		"Empty: nobody can set one up, and who has one cannot sign in." },
	{ "portal", "geocoder", CONFIG_STRING, AT(server.geocoder.style),
	    .min = 1, .max = 20, .standard = "off",
	    .help =
		"Looks addresses up while they are typed: off, nominatim (or what\n"
		"speaks as it does) or google. Known addresses are offered always." },
	{ "portal", "geocoder_url", CONFIG_STRING, AT(server.geocoder.url),
	    .max = 500, .standard = "",
	    .help =
		"The service's search, https or on loopback; the public Nominatim\n"
		"forbids searching while one types. Empty: google's own." },
	{ "portal", "geocoder_key_file", CONFIG_PATH,
	    AT(server.geocoder.key_file), .max = 900, .standard = "",
	    .base = CONFIG_BASE_FILE,
	    .help = "File with the service's key, where it wants one." },

	/* ---- database ---- */
	{ "database", "conninfo", CONFIG_CONNINFO, AT(server.conninfo),
	    .min = 1, .max = 2000, .standard = "dbname=tocsin",
	    .help =
		"libpq connection string of a role that was granted tocsin_portal\n"
		"and nothing else." },
	{ "database", "connections", CONFIG_INTEGER, AT(server.threads),
	    .min = 0, .max = WORK_THREADS_MAX, .standard = "0",
	    .help =
		"Connections to it, each with a thread. 0: one for each two\n"
		"processors, so that PostgreSQL, however much is asked, leaves the\n"
		"others to reception; more where it runs elsewhere. One more is\n"
		"kept for passwords, one for imports, and one for live views." },

	/* ---- tocsind ---- */
	{ "tocsind", "socket", CONFIG_PATH, AT(server.tocsind), .max = 107,
	    .standard = "",
	    .help =
		"Its [admin] portal_socket: /run/tocsin-portal/control as the\n"
		"package makes it. Empty: the portal shows nothing live." },
};

static const char sample_head[] =
    "Configuration of Tocsin's portal. Every key stands here with its default,\n"
    "behind a semicolon: take that away to change it. tocsin-portal.ini(5)\n"
    "explains the form; `tocsin-portal -t` checks, `tocsin-portal -T` shows\n"
    "what is in force.\n";

static const char manual_head[] =
    ".\\\" Generated from src/portal/settings.c by make_settings.c.\n"
    ".Dd November 30, 2026\n"
    ".Dt TOCSIN-PORTAL.INI 5\n"
    ".Os\n"
    ".Sh NAME\n"
    ".Nm tocsin-portal.ini\n"
    ".Nd configuration of the dealers' portal tocsin-portal\n"
    ".Sh DESCRIPTION\n"
    ".Xr tocsin-portal 8\n"
    "reads\n"
    ".Pa /etc/tocsin/portal.ini ,\n"
    "a file of its own that the portal's user may read:\n"
    ".Xr tocsin.ini 5\n"
    "holds keys which are no business of a web server.\n"
    "Sections, keys, comments and units are written as there.\n"
    ".Pp\n"
    "On\n"
    ".Dv SIGHUP\n"
    "the file is read again and taken as a whole or, with an error, not at all.\n"
    "Settings marked\n"
    ".Em reload\n"
    "are then in force; a change of any other is logged and waits for a restart.\n"
    ".Sh SETTINGS\n";

static const char manual_tail[] =
    ".Sh FILES\n"
    ".Bl -tag -width Ds -compact\n"
    ".It Pa /etc/tocsin/portal.ini\n"
    "the configuration; it belongs to root:tocsin-portal, mode 0640\n"
    ".El\n"
    ".Sh EXAMPLES\n"
    ".Bd -literal -offset indent\n"
    "[portal]\n"
    "listen = 0.0.0.0:443\n"
    "certificate = portal.crt\n"
    "key = portal.key\n"
    ".Ed\n"
    ".Sh SEE ALSO\n"
    ".Xr tocsin.ini 5 ,\n"
    ".Xr tocsin-portal 8\n";

const struct config_schema settings_schema = {
	.table = table,
	.table_count = COUNT(table),
	.sections = sections,
	.section_count = COUNT(sections),
	.program = "tocsin-portal",
	.sample_head = sample_head,
	.manual_head = manual_head,
	.manual_tail = manual_tail,
};

void
settings_free(struct settings **settings)
{
	if (*settings)
		config_file_close(&(*settings)->file);
	free(*settings);
	*settings = NULL;
}

static void
check(const struct settings *settings, struct config_problems *problems)
{
	const struct server_settings *server = &settings->server;
	struct config_origin origin = config_origin(&settings->file, NULL,
	    *server->certificate ? offsetof(struct settings, server.certificate)
				 : offsetof(struct settings, server.key));

	struct geocoder geocoder;
	struct err err;

	if (!*server->certificate != !*server->key)
		config_problem(problems, &origin,
		    "certificate and key belong together");
	origin = config_origin(&settings->file, NULL,
	    offsetof(struct settings, server.geocoder.style));
	if (geocoder_open(&geocoder, &server->geocoder, &err) < 0)
		config_problem(problems, &origin, "%s", err.text);
	geocoder_close(&geocoder);
}

static void
set_absent(const char **text)
{
	if (**text == '\0')
		*text = NULL;
}

static int
read_all(const char *path, struct config_problems *problems,
    struct settings **ret)
{
	struct settings *settings = calloc(1, sizeof(*settings));
	int result = settings ? config_file_open(&settings->file,
				    &settings_schema, path, settings, NULL)
			      : -ENOMEM;

	if (result == 0)
		result = config_file_read(&settings->file, problems, false);
	else
		config_problem(problems, &(struct config_origin){ path, 0 },
		    "no memory");
	if (result == 0)
		check(settings, problems);
	if (problems->count) {
		settings_free(&settings);
		return result < 0 ? result : -EINVAL;
	}
	set_absent(&settings->server.certificate);
	set_absent(&settings->server.key);
	set_absent(&settings->server.origin);
	set_absent(&settings->server.master_key);
	set_absent(&settings->server.tocsind);
	if (*settings->server.web == '\0')
		settings->server.web = TOCSIN_WEB_DIR;
	*ret = settings;
	return 0;
}

int
settings_load(const char *path, struct settings **ret, struct err *err)
{
	struct err first = { "" };
	struct config_problems problems = { .err = &first };
	int result = read_all(path, &problems, ret);

	return result == 0
	    ? 0
	    : config_summary(&settings_schema, &problems, result, err);
}

int
settings_check(const char *path, FILE *out)
{
	struct config_problems problems = { .out = out };
	struct settings *settings = NULL;
	int result = read_all(path, &problems, &settings);

	settings_free(&settings);
	return result;
}
