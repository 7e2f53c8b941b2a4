#include "daemon/config_table.h"

#include "base/array.h"
#include "control/protocol.h"

#define MINUTE	    (60 * SECOND)
#define HOUR	    (60 * MINUTE)
#define DAY	    (24 * HOUR)
#define SECOND	    ((int64_t)1000000)
#define MILLISECOND ((int64_t)1000)
#define KIB	    ((int64_t)1024)
#define MIB	    (1024 * KIB)
#define GIB	    (1024 * MIB)
#define TIB	    (1024 * GIB)

#define AT(member)                                                             \
 .offset = offsetof(struct config, member),                                    \
 .width = sizeof(((struct config *)0)->member)
#define OF(member)                                                             \
 .offset = offsetof(struct config_listener, member),                           \
 .width = sizeof(((struct config_listener *)0)->member)

static const struct config_section sections[] = {
	{ "node", "Who this installation is and where it keeps things." },
	{ "journal",
	    "The journal holds every signal from before its acknowledgement until\n"
	    "it is delivered, and then for the retention." },
	{ "database",
	    "PostgreSQL: whom signals belong to, and their history." },
	{ "directory", "The picture of the database that is kept in memory." },
	{ "ingress", "Threads that receive." },
	{ CONFIG_SECTION_LISTENER,
	    "One section per listener, each with a name of its own. All of it is\n"
	    "in force with a reload; a listener whose transport, address and port\n"
	    "stay keeps its connections.",
	    .sample_name = "dc09-tcp",
	    .sample_tail = "\n\n[listener dc09-udp]\ntransport = udp\n",
	    .manual_tail = config_write_tolerances },
	{ "dispatch", "From the journal to the links." },
	{ "egress",
	    "Links to stations. The stations themselves are in the\n"
	    "database." },
	{ "archive", "From the journal to the history in the database." },
	{ "watch", "What counts as trouble of the machine itself." },
	{ "admin", "The socket of tocsinctl, and metrics." },
	{ "log", "The daemon's own messages." },
};

static const struct config_choice levels[] = {
	{ "error", LOG_ERROR },
	{ "warn", LOG_WARN },
	{ "notice", LOG_NOTICE },
	{ "info", LOG_INFO },
	{ "debug", LOG_DEBUG },
	{ 0 },
};

static const struct config_choice transports[] = {
	{ "tcp", INGRESS_TCP },
	{ "udp", INGRESS_UDP },
	{ "tls", INGRESS_TLS },
	{ "tcp-connect", INGRESS_TCP_CONNECT },
	{ "unix", INGRESS_UNIX },
	{ "directory", INGRESS_DIRECTORY },
	{ 0 },
};

static const struct config_choice unknown_accounts[] = {
	{ "ack-and-log", INGRESS_UNKNOWN_ACK_AND_LOG },
	{ "duh", INGRESS_UNKNOWN_DUH },
	{ "ignore", INGRESS_UNKNOWN_IGNORE },
	{ 0 },
};

static const struct config_choice client_certificates[] = {
	{ "required", true },
	{ "optional", false },
	{ 0 },
};

static const struct config_choice protocols[] = {
	{ "dc09", INGRESS_DC09 },
	{ "surgard", INGRESS_SURGARD },
	{ "surgard-mlr2000", INGRESS_SURGARD_MLR2000 },
	{ "ademco685", INGRESS_ADEMCO685 },
	{ "d6500", INGRESS_D6500 },
	{ "contact-id", INGRESS_CONTACT_ID },
	{ "http", INGRESS_HTTP },
	{ 0 },
};

static const struct config_choice ack_levels[] = {
	{ "local", ACK_LEVEL_LOCAL },
	{ "delivered", ACK_LEVEL_DELIVERED },
	{ 0 },
};

static const struct config_setting table[] = {
	/* ---- node ---- */
	{ "node", "name", CONFIG_STRING, AT(node.name), .min = 1, .max = 63,
	    .standard = "tocsin",
	    .help =
		"Name of this installation, the first part of every event id.\n"
		"Letters, digits, '.', '_' and '-'." },
	{ "node", "state_dir", CONFIG_PATH, AT(node.state_dir), .min = 1,
	    .max = 900, .standard = "/var/lib/tocsin",
	    .help = "Where the journal, the snapshot and the marks are." },
	{ "node", "run_dir", CONFIG_PATH, AT(node.run_dir), .min = 1, .max = 90,
	    .standard = "/run/tocsin", .help = "Where the control socket is." },

	/* ---- journal ---- */
	{ "journal", "dir", CONFIG_PATH, AT(journal.directory), .min = 1,
	    .max = 900, .standard = "journal", .base = CONFIG_BASE_STATE,
	    .help =
		"Directory of the journal; relative to state_dir. A disk of its\n"
		"own is best." },
	{ "journal", "second_dir", CONFIG_PATH, AT(journal.second_directory),
	    .max = 900, .standard = "", .base = CONFIG_BASE_STATE,
	    .help =
		"Directory on another disk that takes over when the first one\n"
		"fails. Empty: none." },
	{ "journal", "segment_size", CONFIG_SIZE, AT(journal.segment_bytes),
	    .min = MIB, .max = GIB, .standard = "64MiB",
	    .help =
		"Size of one file of the journal, written full of zeros before\n"
		"its first use. A multiple of 4KiB." },
	{ "journal", "budget", CONFIG_SIZE, AT(journal.budget_bytes),
	    .min = 4 * MIB, .max = 64 * TIB, .standard = "16GiB",
	    .help =
		"Most that all its files may take together. When 95 % of it hold\n"
		"signals that are not finished, no more are acknowledged." },
	{ "journal", "retention", CONFIG_DURATION, AT(journal.retention_us),
	    .unit = 1, .max = 3650 * DAY, .standard = "7d",
	    .help =
		"How long finished signals stay, unless the budget needs the\n"
		"room." },

	/* ---- database ---- */
	{ "database", "conninfo", CONFIG_CONNINFO, AT(database.conninfo),
	    .max = 2000, .standard = "dbname=tocsin",
	    .help =
		"libpq connection string. Empty: none; the node then lives from\n"
		"its snapshot and keeps no history." },

	/* ---- directory ---- */
	{ "directory", "snapshot", CONFIG_PATH, AT(directory.snapshot),
	    .max = 900, .standard = "directory.snapshot",
	    .base = CONFIG_BASE_STATE,
	    .help =
		"File from which a start without the database is made; relative\n"
		"to state_dir. Empty: none." },
	{ "directory", "snapshot_interval", CONFIG_DURATION,
	    AT(directory.snapshot_interval_us), .unit = 1, .min = SECOND,
	    .max = DAY, .standard = "30s",
	    .help =
		"After changes the snapshot is written at most this often." },
	{ "directory", "refresh", CONFIG_DURATION, AT(directory.refresh_us),
	    .unit = 1, .max = 30 * DAY, .standard = "6h",
	    .help =
		"Everything is read anew this often, beside the changes that are\n"
		"followed at once. 0: never." },
	{ "directory", "connect_wait", CONFIG_DURATION,
	    AT(directory.connect_wait_us), .unit = 1, .max = HOUR,
	    .standard = "10s",
	    .help =
		"How long a start waits for the database before it takes the\n"
		"snapshot." },
	{ "directory", "master_key_file", CONFIG_PATH,
	    AT(directory.master_key_file), .max = 900, .standard = "",
	    .base = CONFIG_BASE_FILE,
	    .help =
		"File with the key that opens the panels' keys in the database:\n"
		"32 bytes or 64 hexadecimal digits. credential:NAME is a\n"
		"credential that systemd passed. Empty: none." },

	/* ---- ingress ---- */
	{ "ingress", "workers", CONFIG_INTEGER, AT(ingress.workers), .max = 64,
	    .standard = "0",
	    .help = "Threads that receive. 0: one for every two processors." },

	/* ---- listener ---- */
	{ CONFIG_SECTION_LISTENER, "protocol", CONFIG_CHOICE,
	    OF(ingress.protocol), .standard = "dc09", .choices = protocols,
	    .reload = true,
	    .help =
		"What is spoken. dc09: panels. http: the API of bridges, each with\n"
		"a key of its own. The others are what receivers say towards\n"
		"automation software: surgard with a line of one character\n"
		"(MLR2), surgard-mlr2000 with three (MLR2000, System I to 5),\n"
		"ademco685 and d6500; contact-id is lines of a dialer's 16 digits.\n"
		"Only dc09 comes over udp and has a key here." },
	{ CONFIG_SECTION_LISTENER, "transport", CONFIG_CHOICE,
	    OF(ingress.transport), .standard = "tcp", .choices = transports,
	    .reload = true,
	    .help =
		"How it comes. tls is TLS 1.2 or 1.3, and nothing else on that\n"
		"port. tcp-connect: we connect to address and port, where a\n"
		"receiver waits for its automation software. unix: a socket for\n"
		"programs of this machine. directory: files that Asterisk's\n"
		"AlarmReceiver leaves." },
	{ CONFIG_SECTION_LISTENER, "address", CONFIG_STRING,
	    OF(ingress.address), .min = 1, .max = 100, .standard = "0.0.0.0",
	    .reload = true,
	    .help =

		"Numeric address to listen on, or to connect to; IPv6 as ::. The\n"
		"path of a socket or directory." },
	{ CONFIG_SECTION_LISTENER, "port", CONFIG_INTEGER, OF(ingress.port),
	    .max = 65535, .standard = "12000", .reload = true,
	    .help =
		"Port to listen on, or to connect to. 0: any that is free (tests)." },
	{ CONFIG_SECTION_LISTENER, "key", CONFIG_OTHER, OF(ingress.key),
	    .other = &config_key, .standard = "", .reload = true,
	    .help =
		"AES key of accounts that have none of their own: hex: and 32, 48\n"
		"or 64 digits, or text: and 16, 24 or 32 characters. Empty: none." },
	{ CONFIG_SECTION_LISTENER, "key_file", CONFIG_PATH, OF(key_file),
	    .max = 900, .standard = "", .base = CONFIG_BASE_FILE,
	    .reload = true,
	    .help =
		"The same from the first line of a file, relative to this one;\n"
		"credential:NAME is a credential that systemd passed." },
	{ CONFIG_SECTION_LISTENER, "cipher_required", CONFIG_BOOLEAN,
	    OF(ingress.cipher_required), .standard = "no", .reload = true,
	    .help =
		"Refuse frames that are not AES-encrypted, whatever the bridge's\n"
		"own setting is. Of http: whoever does not come by TLS." },
	{ CONFIG_SECTION_LISTENER, "silent", CONFIG_BOOLEAN, OF(ingress.silent),
	    .standard = "no", .reload = true,
	    .help =
		"No answer at all to unknown accounts, whatever unknown_account\n"
		"says, to other keys than the account's, to clear text where it\n"
		"must be encrypted, and to accounts that are not the client\n"
		"certificate's. Only for protocols dc09 and http." },
	{ CONFIG_SECTION_LISTENER, "certificate", CONFIG_PATH,
	    OF(ingress.tls.certificate), .max = 900, .standard = "",
	    .base = CONFIG_BASE_FILE, .reload = true,
	    .help =
		"PEM file with the certificate and its chain, for transport tls;\n"
		"relative to this file, or credential:NAME. Read anew by each\n"
		"reload, which ends no connection." },
	{ CONFIG_SECTION_LISTENER, "certificate_key", CONFIG_PATH,
	    OF(ingress.tls.certificate_key), .max = 900, .standard = "",
	    .base = CONFIG_BASE_FILE, .reload = true,
	    .help =
		"PEM file with its private key, without a passphrase. Empty: it is\n"
		"in the certificate's file." },
	{ CONFIG_SECTION_LISTENER, "client_ca", CONFIG_PATH,
	    OF(ingress.tls.client_ca), .max = 900, .standard = "",
	    .base = CONFIG_BASE_FILE, .reload = true,
	    .help =
		"PEM file with the authorities that sign panels' certificates.\n"
		"Empty: panels are not asked for one." },
	{ CONFIG_SECTION_LISTENER, "client_certificate", CONFIG_CHOICE,
	    OF(ingress.tls.client_required), .standard = "required",
	    .choices = client_certificates, .reload = true,
	    .help =
		"With a client_ca: whether a panel without a certificate is\n"
		"refused." },
	{ CONFIG_SECTION_LISTENER, "client_account", CONFIG_BOOLEAN,
	    OF(ingress.tls.client_account), .standard = "yes", .reload = true,
	    .help =
		"A panel with a certificate speaks only for accounts that are its\n"
		"common name or one of its DNS names; other frames are refused.\n"
		"no: for any." },
	{ CONFIG_SECTION_LISTENER, "handshake_timeout", CONFIG_DURATION,
	    OF(ingress.tls.handshake_timeout_us), .unit = 1, .min = SECOND,
	    .max = HOUR, .standard = "10s", .reload = true,
	    .help = "A TLS handshake must be complete by then." },
	{ CONFIG_SECTION_LISTENER, "max_handshakes", CONFIG_INTEGER,
	    OF(ingress.tls.max_handshakes), .min = 1, .max = 1000000,
	    .standard = "2000", .reload = true,
	    .help =
		"TLS handshakes at a time. Further connections wait; one of the\n"
		"address that has most, or the one that was silent for longest, a\n"
		"second at least, makes room." },
	{ CONFIG_SECTION_LISTENER, "time_window_past", CONFIG_DURATION,
	    OF(ingress.window.past_s), .unit = SECOND, .max = DAY,
	    .standard = "40s", .reload = true,
	    .help = "How old the timestamp of an encrypted frame, or of the\n"
		    "signature of an HTTP request, may be." },
	{ CONFIG_SECTION_LISTENER, "time_window_future", CONFIG_DURATION,
	    OF(ingress.window.future_s), .unit = SECOND, .max = DAY,
	    .standard = "20s", .reload = true,
	    .help = "How far it may be ahead." },
	{ CONFIG_SECTION_LISTENER, "idle_timeout", CONFIG_DURATION,
	    OF(ingress.idle_timeout_us), .unit = 1, .max = DAY, .standard = "0",
	    .reload = true,
	    .help =
		"A connection that says nothing this long is closed. 0: what its\n"
		"protocol needs, 30s for dc09, else 90s: three heartbeats." },
	{ CONFIG_SECTION_LISTENER, "first_frame_timeout", CONFIG_DURATION,
	    OF(ingress.first_frame_timeout_us), .unit = 1, .max = HOUR,
	    .standard = "0", .reload = true,
	    .help =
		"A new connection must have sent one sound frame by then. 0: 10s\n"
		"for dc09, else 90s." },
	{ CONFIG_SECTION_LISTENER, "junk_limit", CONFIG_SIZE,
	    OF(ingress.junk_limit_bytes), .min = 64, .max = MIB,
	    .standard = "4KiB", .reload = true,
	    .help =
		"Bytes without a sound frame before a connection is closed." },
	{ CONFIG_SECTION_LISTENER, "max_sessions", CONFIG_INTEGER,
	    OF(ingress.max_sessions), .min = 1, .max = 1000000,
	    .standard = "20000", .reload = true,
	    .help =
		"Connections at a time. For one more a connection without a sound\n"
		"frame makes room, of the address that has most or silent for a\n"
		"second at least; else it is refused." },
	{ CONFIG_SECTION_LISTENER, "max_source_sessions", CONFIG_INTEGER,
	    OF(ingress.max_source_sessions), .max = 1000000, .standard = "5000",
	    .reload = true,
	    .help =
		"Connections from one address (of IPv6: the first 64 bits). Mobile\n"
		"networks show many panels as one address. 0: no limit." },
	{ CONFIG_SECTION_LISTENER, "max_source_frames", CONFIG_INTEGER,
	    OF(ingress.max_source_frames), .max = 1000000, .standard = "0",
	    .reload = true,
	    .help =
		"Frames a second from one address, likewise. What comes faster\n"
		"waits on a connection, and is dropped over udp. 0: no limit." },
	{ CONFIG_SECTION_LISTENER, "max_source_handshakes", CONFIG_INTEGER,
	    OF(ingress.max_source_handshakes), .max = 1000000, .standard = "0",
	    .reload = true,
	    .help =
		"TLS handshakes a second from one address; further connections are\n"
		"closed. 0: no limit." },
	{ CONFIG_SECTION_LISTENER, "ack_level", CONFIG_CHOICE,
	    OF(ingress.ack_level), .standard = "local", .choices = ack_levels,
	    .reload = true,
	    .help =
		"When a signal is acknowledged. local: it is on stable storage\n"
		"here. delivered: besides, every station that it goes to has\n"
		"acknowledged, or it ended without going to one, with the reason\n"
		"in its history. What has to wait (an entry delay, a station that\n"
		"is away) is not acknowledged meanwhile. A site may have a level\n"
		"of its own, which goes before this one." },
	{ CONFIG_SECTION_LISTENER, "delivered_timeout", CONFIG_DURATION,
	    OF(ingress.delivered_timeout_us), .unit = 1, .min = SECOND,
	    .max = HOUR, .standard = "30s", .reload = true,
	    .help =
		"With ack_level delivered: after this time there is no answer at\n"
		"all, so that the panel repeats or takes its backup path. Its\n"
		"repeat waits for the same delivery; what was delivered meanwhile\n"
		"is acknowledged at once." },
	{ CONFIG_SECTION_LISTENER, "unknown_account", CONFIG_CHOICE,
	    OF(ingress.unknown_account), .standard = "ack-and-log",
	    .choices = unknown_accounts, .reload = true,
	    .help =
		"What a sound frame from an account that nobody knows gets." },
	{ CONFIG_SECTION_LISTENER, "reply_timestamp", CONFIG_BOOLEAN,
	    OF(ingress.reply_timestamp), .standard = "no", .reload = true,
	    .help = "Put the time into clear replies too." },
	{ CONFIG_SECTION_LISTENER, "tolerate", CONFIG_OTHER,
	    .other = &config_tolerate, OF(ingress.tolerate),
	    .standard = "default", .reload = true,
	    .help =
		"Quirks of panels to accept, by name with commas between; default\n"
		"is the set that weakens no check and is not one maker's alone,\n"
		"none is none." },

	/* ---- dispatch ---- */
	{ "dispatch", "repeat_window", CONFIG_DURATION,
	    AT(dispatch.repeat_window_us), .unit = 1, .max = DAY,
	    .standard = "2min",
	    .help = "The same message again within this time is a repeat:\n"
		    "acknowledged again, delivered once." },
	{ "dispatch", "repeat_slots", CONFIG_INTEGER, AT(dispatch.repeat_slots),
	    .min = 1024, .max = 1 << 26, .standard = "262144",
	    .help = "Messages remembered for that, 16 bytes each." },
	{ "dispatch", "runaway_limit", CONFIG_INTEGER,
	    AT(dispatch.runaway_limit), .min = 0, .max = 1000000,
	    .standard = "0",
	    .help =
		"Events that a bridge or panel may raise in a minute; further\n"
		"ones are cut, and told in one event (300) when the minute is\n"
		"over. Medical, fire and panic always pass. 0: no limit." },
	{ "dispatch", "checkpoint_interval", CONFIG_DURATION,
	    AT(dispatch.checkpoint_us), .unit = 1, .min = 100 * MILLISECOND,
	    .max = DAY, .standard = "30s",
	    .help =
		"How often the state is saved; it shortens the next start." },

	/* ---- egress ---- */
	{ "egress", "reconnect_min", CONFIG_DURATION,
	    AT(egress.reconnect_min_us), .unit = 1, .min = 10 * MILLISECOND,
	    .max = HOUR, .standard = "1s",
	    .help = "First pause before a lost link is tried again." },
	{ "egress", "reconnect_max", CONFIG_DURATION,
	    AT(egress.reconnect_max_us), .unit = 1, .min = 10 * MILLISECOND,
	    .max = DAY, .standard = "1min",
	    .help = "Longest pause; it doubles up to here." },
	{ "egress", "connect_timeout", CONFIG_DURATION,
	    AT(egress.connect_timeout_us), .unit = 1, .min = 100 * MILLISECOND,
	    .max = HOUR, .standard = "10s",
	    .help = "A connection must be made within this time." },
	{ "egress", "primary_return", CONFIG_DURATION,
	    AT(egress.primary_return_us), .unit = 1, .min = SECOND, .max = DAY,
	    .standard = "5min",
	    .help =
		"While a backup is in use the first address is tried again this\n"
		"often." },
	{ "egress", "certificates", CONFIG_PATH, AT(egress.certificates),
	    .max = 900, .standard = "tls", .base = CONFIG_BASE_FILE,
	    .help =
		"Directory of the PEM files that endpoints of receivers name;\n"
		"relative to this file, read anew for each connection." },
	{ "egress", "nameservers", CONFIG_STRING, AT(egress.nameservers),
	    .max = 500, .standard = "",
	    .help =
		"Who resolves the host names of receivers' endpoints, as\n"
		"ADDRESS:PORT with commas between. Empty: those of the system\n"
		"(/etc/resolv.conf). /etc/hosts goes before either. Mail\n"
		"servers are always looked up with those of the system." },
	{ "egress", "programs_dir", CONFIG_PATH, AT(egress.programs_directory),
	    .max = 900, .standard = "", .base = CONFIG_BASE_FILE,
	    .help =
		"Directory of the programs that receivers may name as endpoints\n"
		"(run:NAME, each:NAME), relative to this file. Only root should\n"
		"write there: what is in it can be run, and nothing else. Empty:\n"
		"none." },
	{ "egress", "files_dir", CONFIG_PATH, AT(egress.files_directory),
	    .max = 900, .standard = "", .base = CONFIG_BASE_STATE,
	    .help = "Directory of the files and FIFOs that receivers may name\n"
		    "(file:NAME), relative to state_dir. Empty: none." },
	{ "egress", "mail_dir", CONFIG_PATH, AT(egress.mail_directory),
	    .max = 900, .standard = "", .base = CONFIG_BASE_FILE,
	    .help =
		"Directory of the templates of mails that receivers may name\n"
		"(smtp://NAME@HOST:PORT), relative to this file; beside NAME there\n"
		"may be NAME.login (user and password, a line each) and NAME.ca\n"
		"(PEM file of the authorities to trust). Empty: none." },
	{ "egress", "start_paused", CONFIG_BOOLEAN, AT(egress.start_paused),
	    .standard = "no",
	    .help = "Links stay paused until tocsinctl resumes them." },

	/* ---- archive ---- */
	{ "archive", "enabled", CONFIG_BOOLEAN, AT(archive_enabled),
	    .standard = "yes",
	    .help =
		"Write the history into the database. What is not written yet\n"
		"stays in the journal." },
	{ "archive", "batch_records", CONFIG_INTEGER, AT(archive.batch_records),
	    .min = 1, .max = 10000, .standard = "1000",
	    .help = "Most records in one transaction." },
	{ "archive", "linger", CONFIG_DURATION, AT(archive.linger_us),
	    .unit = 1, .max = MINUTE, .standard = "200ms",
	    .help = "Wait this long for a fuller one." },

	/* ---- watch ---- */
	{ "watch", "clock_step", CONFIG_DURATION, AT(watch.clock_step_us),
	    .unit = 1, .min = 100 * MILLISECOND, .max = DAY, .standard = "1s",
	    .help = "A jump of the wall clock by more is an event." },
	{ "watch", "slow_sync", CONFIG_DURATION, AT(watch.slow_sync_us),
	    .unit = 1, .min = MILLISECOND, .max = HOUR, .standard = "2s",
	    .help =
		"A write to the journal's disk that takes longer is an event." },
	{ "watch", "stuck_sync", CONFIG_DURATION, AT(watch.stuck_sync_us),
	    .unit = 1, .min = MILLISECOND, .max = HOUR, .standard = "10s",
	    .help =
		"One that takes longer than this ends in a restart by the service\n"
		"manager." },
	{ "watch", "space_warning", CONFIG_PERCENT, AT(watch.space_warning),
	    .min = 1, .max = 94, .standard = "80%",
	    .help =
		"Unfinished signals taking more of the journal's budget are an\n"
		"event." },
	{ "watch", "outage_after", CONFIG_DURATION, AT(watch.outage_after_us),
	    .unit = 1, .max = DAY, .standard = "30s",
	    .help =
		"A link to a station or the database being away for so long is an\n"
		"event." },
	{ "watch", "mass_loss_least", CONFIG_INTEGER, AT(watch.mass_loss_least),
	    .min = 2, .max = 1000000, .standard = "50",
	    .help =
		"So many supervised bridges falling silent within a minute are one\n"
		"incident, told once beside their own events," },
	{ "watch", "mass_loss_share", CONFIG_PERCENT, AT(watch.mass_loss_share),
	    .min = 0, .max = 100, .standard = "1%",
	    .help = "when they are this share of all that are supervised." },

	/* ---- admin ---- */
	{ "admin", "socket", CONFIG_PATH, AT(admin.socket), .min = 1,
	    .max = 107, .standard = CONTROL_SOCKET_NAME,
	    .base = CONFIG_BASE_RUN,
	    .help =
		"Control socket of tocsinctl, mode 0660; relative to run_dir." },
	{ "admin", "portal_socket", CONFIG_PATH, AT(admin.portal_socket),
	    .max = 107, .standard = "", .base = CONFIG_BASE_RUN,
	    .help =
		"Control socket of tocsin-portal, mode 0660; relative to run_dir.\n"
		"It shows, follows, replays and skips what is parked, and arms,\n"
		"each with the user who asked for it, and nothing else. A\n"
		"directory with the set-group-ID bit gives it the portal's group:\n"
		"/run/tocsin-portal/control where the package made that one.\n"
		"Empty: none." },
	{ "admin", "metrics", CONFIG_STRING, AT(admin.metrics), .max = 60,
	    .standard = "127.0.0.1:9108",
	    .help =
		"Loopback address and port of /metrics, /healthz and /readyz.\n"
		"Empty: none." },

	/* ---- log ---- */
	{ "log", "file", CONFIG_PATH, AT(log.file), .max = 500, .standard = "",
	    .reload = true,
	    .help =
		"File to append to, opened again by a reload. Empty: standard\n"
		"error, which systemd keeps." },
	{ "log", "level", CONFIG_CHOICE, AT(log.level), .standard = "info",
	    .choices = levels, .reload = true, .help = "How much is said." },
};
static const char sample_head[] =
    "Tocsin's configuration. Every key stands here with its default,\n"
    "behind a semicolon: take that away to change it. tocsin.ini(5)\n"
    "explains the form; `tocsind -t` checks, `tocsind -T` shows what is\n"
    "in force. Files conf.d/*.ini beside this one are read after it.\n";

static const char manual_head[] =
    ".\\\" Generated from src/daemon/config_table.c by make_settings.c.\n"
    ".Dd November 24, 2026\n"
    ".Dt TOCSIN.INI 5\n"
    ".Os\n"
    ".Sh NAME\n"
    ".Nm tocsin.ini\n"
    ".Nd configuration of the alarm receiver tocsind\n"
    ".Sh DESCRIPTION\n"
    ".Xr tocsind 8\n"
    "reads\n"
    ".Pa /etc/tocsin/tocsin.ini ,\n"
    "then, in the order of their names, the files\n"
    ".Pa conf.d/*.ini\n"
    "beside it.\n"
    "A key may be set once in all of them together.\n"
    ".Pp\n"
    "A file has sections and, in them, lines of the form\n"
    ".Ql key = value .\n"
    "A line that begins with a semicolon or a number sign is a comment; there is\n"
    "no comment behind a value.\n"
    "A line has at most 8192 bytes and is never continued on the next one.\n"
    "Anything that is not understood is an error that names file and line;\n"
    ".Ql tocsind -t\n"
    "lists all of them.\n"
    ".Pp\n"
    "A unit is part of the value.\n"
    "Durations:\n"
    ".Ql us , ms , s , min , h , d .\n"
    "Sizes:\n"
    ".Ql B , KiB , MiB , GiB , TiB .\n"
    "Shares:\n"
    ".Ql % .\n"
    "Only 0 stands alone.\n"
    ".Pp\n"
    "On\n"
    ".Dv SIGHUP\n"
    "or\n"
    ".Ql tocsinctl reload\n"
    "the files are read again and taken as a whole or, with an error, not at\n"
    "all.\n"
    "Settings marked\n"
    ".Em reload\n"
    "are then in force; a change of any other is logged and waits for a restart.\n"
    ".Sh SETTINGS\n";

static const char manual_tail[] =
    ".Sh FILES\n"
    ".Bl -tag -width Ds -compact\n"
    ".It Pa /etc/tocsin/tocsin.ini\n"
    "the configuration; it may hold keys and belongs to root:tocsin, mode 0640\n"
    ".It Pa /etc/tocsin/conf.d/*.ini\n"
    "more of it\n"
    ".El\n"
    ".Sh EXAMPLES\n"
    "A second port where encrypted panels with slow clocks are received:\n"
    ".Bd -literal -offset indent\n"
    "[listener slow-clocks]\n"
    "port = 12001\n"
    "key_file = keys/slow-clocks\n"
    "time_window_past = 10min\n"
    "tolerate = default, account_zeros\n"
    ".Ed\n"
    ".Sh SEE ALSO\n"
    ".Xr tocsinctl 1 ,\n"
    ".Xr tocsind 8\n";

const struct config_schema config_schema = {
	.table = table,
	.table_count = COUNT(table),
	.sections = sections,
	.section_count = COUNT(sections),
	.repeated = CONFIG_SECTION_LISTENER,
	.group_size = sizeof(struct config_listener),
	.groups_max = CONFIG_LISTENERS_MAX,
	.program = "tocsind",
	.sample_head = sample_head,
	.manual_head = manual_head,
	.manual_tail = manual_tail,
	.base_offset = { [CONFIG_BASE_STATE] =
			     offsetof(struct config, node.state_dir),
	    [CONFIG_BASE_RUN] = offsetof(struct config, node.run_dir) },
};
