#include "base/array.h"
#include "ctl/command.h"
#include "ctl/control.h"
#include "ctl/decode.h"
#include "ctl/entity.h"
#include "ctl/journal.h"
#include "ctl/library.h"
#include "ctl/migrate.h"
#include "ctl/seed.h"

static const struct ctl_command db_commands[] = {
	{ "migrate", "[OPTION]...", "bring the database to this version",
	    migrate_run },
	{ "status", "[OPTION]...",
	    "which migrations the database has; exit 1 when some are missing",
	    migrate_status },
	{ "seed-demo", "[OPTION]...",
	    "a dealer with sites on two stations, to try things with",
	    seed_demo },
};

static int
run_db(int argc, char **argv)
{
	return ctl_dispatch("db", db_commands, COUNT(db_commands), argc, argv);
}

static const struct ctl_command commands[] = {
	{ "db", "migrate|status|seed-demo", "the database", run_db },
	{ "decode", "[OPTION]... [FRAME]",
	    "read a frame as the receiver would, offline", ctl_decode },
	{ "dealer", "add|set|show|list|remove", "installation companies",
	    entity_dealer },
	{ "center", "add|set|show|list|remove", "monitoring station companies",
	    entity_center },
	{ "receiver", "add|set|show|list|remove",
	    "automation systems of a center: links and their endpoints",
	    entity_receiver },
	{ "station", "add|set|show|list|remove", "a dealer's links to centers",
	    entity_station },
	{ "site",
	    "create|show|find|list|add|set|remove|import|export|deactivate|"
	    "reactivate",
	    "customers: monitored places", entity_site },
	{ "test", "start|stop --site ID", "sites on test", entity_test },
	{ "arming", "set|show --site ID", "who arms a site", entity_arming },
	{ "schedule", "add|list|remove|except|exceptions|unexcept",
	    "when a site is armed by the clock", entity_schedule },
	{ "partition", "add|set|show|list|remove",
	    "channels of a site that are armed together", entity_partition },
	{ "contact", "add|set|show|list|remove|import|export",
	    "whom the station calls", entity_contact },
	{ "app-member", "add|set|list|remove", "who has a site in the app",
	    entity_app_member },
	{ "destination", "add|set|show|list|remove",
	    "further stations of a site", entity_destination },
	{ "destination-rule", "add|set|show|list|remove",
	    "which signals go to a further station", entity_destination_rule },
	{ "template", "add|set|show|list|remove", "what new sites begin with",
	    entity_template },
	{ "template-library", "add|set|show|list|remove",
	    "alarm library of a template", entity_template_library },
	{ "user", "add|set|show|list|remove|password", "who may sign in",
	    entity_user },
	{ "audit", "list|verify", "who changed what", entity_audit },
	{ "bridge",
	    "add|set|show|list|remove|import|export|claim-code|register|assign|transfer|"
	    "unregister|supervise",
	    "what signals, and where it is registered", entity_bridge },
	{ "firmware", "set|list|remove",
	    "the oldest firmware that bridges may have", entity_firmware },
	{ "channel", "add|set|show|list|remove|import|export",
	    "cameras and inputs of a bridge, with their zones",
	    entity_channel },
	{ "camera", "add|set|show|list|remove", "cameras on their channels",
	    entity_camera },
	{ "library", "show|set|reset",
	    "which alarms are sent, under which code", library_run },
	{ "journal", "verify|dump DIR", "read a journal directory, offline",
	    ctl_journal },
	{ "show", CONTROL_SHOW_WORDS, "live state of the daemon",
	    control_show },
	{ "tail", "[--account A]", "every signal with its verdict, live",
	    control_tail },
	{ "trace", "EVENT",
	    "a signal's life: receipt, route, each attempt, acknowledgement",
	    control_trace },
	{ "pause", "link NAME", "queue for a station, send nothing",
	    control_pause },
	{ "resume", "link NAME", "send again", control_resume },
	{ "replay", "link NAME|all",
	    "put parked deliveries back into the queue", control_replay },
	{ "skip", "link NAME|removed REASON",
	    "give up deliveries that nobody can take any more", control_skip },
	{ "arm", "SITE [partition N] [user U]",
	    "arm a site that users or a partner may arm", control_arm },
	{ "disarm", "SITE [partition N] [user U]", "the same the other way",
	    control_disarm },
	{ "send", "test SITE", "tell a site's station a manual test",
	    control_send },
	{ "reload", "", "read the configuration and the directory again",
	    control_reload },
	{ "drain", "", "answer what was received, then end the daemon",
	    control_drain },
};

int
ctl_run(int argc, char **argv)
{
	return ctl_dispatch("", commands, COUNT(commands), argc, argv);
}
