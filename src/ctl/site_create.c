/* tocsinctl site create: the flags, and whom to ask for the rest. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/exit.h"
#include "ctl/connection.h"
#include "ctl/prompt.h"
#include "ctl/site.h"
#include "ctl/site_draft.h"
#include "ctl/site_wizard.h"

static const struct ctl_option beside_fields[] = {
	{ "zone-type", "N=CODE|on|off",
	    "for alarms of this zone type, by number or name; again for more",
	    true },
	{ "event", "NAME=CODE|on|off", "for this system event; again for more",
	    true },
	{ "contact", "NAME,phone=..,..",
	    "whom the station calls: also email=, title=, slot=; again for "
	    "more",
	    true },
	{ "claim-code", "CODE", "of the bridge to register there" },
	{ "yes", NULL, "ask nothing, also on a terminal" },
	CTL_DATABASE_OPTIONS,
	{ "json", NULL, "print the overview as one object" },
};

static void
build_options(struct ctl_option *options)
{
	for (size_t i = 0; i < SITE_FIELD_COUNT; i++)
		*options++ = (struct ctl_option){ site_fields[i].option,
			site_fields[i].value, site_fields[i].help };
	memcpy(options, beside_fields, sizeof(beside_fields));
}

static int
refused(const char *option, int code, const struct err *err)
{
	int status =
	    code == -ENOTCONN ? EXIT_STATUS_UNAVAILABLE : EXIT_STATUS_FAILED;

	return *option
	    ? ctl_fail(status, "site create: --%s: %s", option, err->text)
	    : ctl_fail(status, "site create: %s", err->text);
}

static int
take_fields(struct site_draft *draft, const struct ctl_arguments *arguments)
{
	for (size_t i = 0; i < SITE_FIELD_COUNT; i++) {
		const char *option = site_fields[i].option;
		const char *value = ctl_value(arguments, option);
		struct err err;
		int result = value
		    ? site_draft_set(draft, (enum site_field)i, value, &err)
		    : 0;

		if (result < 0)
			return refused(option, result, &err);
	}
	return CTL_GO_ON;
}

/* "3=131": what stands on each side of the first '='. */
static int
take_changes(struct site_draft *draft, const struct ctl_arguments *arguments,
    enum site_subject kind, const char *option)
{
	size_t at = 0;
	const char *value;

	while ((value = ctl_next_value(arguments, option, &at))) {
		const char *equals = strchr(value, '=');
		char subject[64];
		struct err err;
		int result;

		if (!equals || (size_t)(equals - value) >= sizeof(subject))
			return ctl_fail(EXIT_STATUS_USAGE,
			    "site create: --%s %s: it is %s", option, value,
			    kind == SITE_ZONE_TYPE ? "N=CODE, N=on or N=off"
						   : "NAME=CODE, NAME=on or "
						     "NAME=off");
		snprintf(subject, sizeof(subject), "%.*s",
		    (int)(equals - value), value);
		result =
		    site_draft_change(draft, kind, subject, equals + 1, &err);
		if (result < 0)
			return refused(option, result, &err);
	}
	return CTL_GO_ON;
}

static int
take_contacts(struct site_draft *draft, const struct ctl_arguments *arguments)
{
	size_t at = 0;
	const char *value;

	while ((value = ctl_next_value(arguments, "contact", &at))) {
		struct err err;
		int result = site_draft_add_contact(draft, value, &err);

		if (result < 0)
			return refused("contact", result, &err);
	}
	return CTL_GO_ON;
}

static int
take_flags(struct site_draft *draft, const struct ctl_arguments *arguments)
{
	int status = take_fields(draft, arguments);

	draft->claim_code = ctl_value(arguments, "claim-code");
	if (status == CTL_GO_ON)
		status =
		    take_changes(draft, arguments, SITE_ZONE_TYPE, "zone-type");
	if (status == CTL_GO_ON)
		status = take_changes(draft, arguments, SITE_EVENT, "event");
	if (status == CTL_GO_ON)
		status = take_contacts(draft, arguments);
	return status;
}

/* In one call: what nobody can be asked for is an error. */
static int
store(struct site_draft *draft, char ret_id[24])
{
	static const enum site_field needed[] = { SITE_DEALER, SITE_NAME };
	const char *option;
	struct err err;
	int result;

	for (size_t i = 0; i < COUNT(needed); i++)
		if (!draft->keys[needed[i]])
			return ctl_fail(EXIT_STATUS_USAGE,
			    "site create: --%s %s is needed",
			    site_fields[needed[i]].option,
			    site_fields[needed[i]].value);
	result = site_draft_store(draft, true, ret_id, &option, &err);
	return result < 0 ? refused(option, result, &err) : EXIT_STATUS_OK;
}

static int
run(struct db *db, const struct ctl_arguments *arguments)
{
	struct site_draft draft;
	char id[24];
	int status;

	site_draft_open(&draft, db);
	status = take_flags(&draft, arguments);
	if (status == CTL_GO_ON)
		status = prompt_possible() && !ctl_flag(arguments, "yes")
		    ? site_wizard(&draft, id)
		    : store(&draft, id);
	site_draft_close(&draft);
	return status == EXIT_STATUS_OK
	    ? site_print(db, id, ctl_flag(arguments, "json"))
	    : status;
}

int
site_create(int argc, char **argv)
{
	struct ctl_option
	    options[SITE_FIELD_COUNT + COUNT(beside_fields) + 1] = { 0 };
	struct ctl_arguments arguments;
	struct db db = { 0 };
	int status;

	build_options(options);
	status = ctl_parse("site create", "[OPTION]...", options, 0, argc, argv,
	    &arguments);
	if (status != CTL_GO_ON)
		return status;
	status = ctl_connect(&db, &arguments);
	if (status == EXIT_STATUS_OK)
		status = run(&db, &arguments);
	db_close(&db);
	return status;
}
