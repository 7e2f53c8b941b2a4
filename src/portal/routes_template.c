#include "base/array.h"
#include "portal/route_parts.h"

#define TEMPLATE ROUTE_ID("template_id", "the template")
static const struct route_parameter add_template[] = {
	{ "dealer_id", ROUTE_IN_BODY, ROUTE_INTEGER, true, "whose template" },
	{ "name", ROUTE_IN_BODY, ROUTE_TEXT, true, "as the dealer calls it" },
	{ NULL },
};
static const struct route_parameter change_template[] = {
	TEMPLATE,
	{ "name", ROUTE_IN_CHANGE, ROUTE_TEXT, false,
	    "as the dealer calls it" },
	{ "station_record_id", ROUTE_IN_CHANGE, ROUTE_INTEGER, false,
	    "who monitors; null: not said, as all below" },
	{ "timezone", ROUTE_IN_CHANGE, ROUTE_TEXT, false, "IANA name" },
	{ "arming_method", ROUTE_IN_CHANGE, ROUTE_TEXT, false,
	    "of listArmingMethods" },
	{ "entry_delay_s", ROUTE_IN_CHANGE, ROUTE_INTEGER, false, "seconds" },
	{ "exit_delay_s", ROUTE_IN_CHANGE, ROUTE_INTEGER, false, "seconds" },
	{ "repeat_filter_s", ROUTE_IN_CHANGE, ROUTE_INTEGER, false, "seconds" },
	{ "test_interval_s", ROUTE_IN_CHANGE, ROUTE_INTEGER, false, "seconds" },
	{ NULL },
};
static const struct route_parameter template[] = { TEMPLATE, { NULL } };
static const struct route_parameter set_library[] = {
	TEMPLATE,
	ROUTE_SUBJECT,
	ROUTE_LIBRARY_VALUES,
	{ NULL },
};
static const struct route_parameter library_subject[] = { TEMPLATE,
	ROUTE_SUBJECT, { NULL } };

static const struct route routes[] = {
	{ ROUTE_GET, "/templates", "listTemplates",
	    "What new customers may begin with", ROUTE_READ, ROUTE_LIST,
	    route_no_parameters,
	    "SELECT to_jsonb(t) || jsonb_build_object('version', "
	    "t.xmin::text), NULL FROM tocsin.site_template t "
	    "ORDER BY t.name, t.id" },
	{ ROUTE_POST, "/templates", "addTemplate",
	    "A new one, which says nothing yet", ROUTE_SETTINGS, ROUTE_CREATED,
	    add_template,
	    "INSERT INTO tocsin.site_template AS t (dealer_id, name) "
	    "VALUES ($1::bigint, $2) RETURNING to_jsonb(t), t.xmin" },
	{ ROUTE_PATCH, "/templates/{template_id}", "changeTemplate",
	    "Change what is sent", ROUTE_SETTINGS, ROUTE_ONE, change_template,
	    "UPDATE tocsin.site_template t SET (name, station_record_id, "
	    "timezone, arming_method, entry_delay_s, exit_delay_s, "
	    "repeat_filter_s, test_interval_s) = (SELECT p.name, "
	    "p.station_record_id, p.timezone, p.arming_method, "
	    "p.entry_delay_s, p.exit_delay_s, p.repeat_filter_s, "
	    "p.test_interval_s FROM jsonb_populate_record(t, $2::jsonb) p) "
	    "WHERE t.id = $1::bigint RETURNING to_jsonb(t), t.xmin",
	    .version_sql = ROUTE_VERSION("site_template") },
	{ ROUTE_DELETE, "/templates/{template_id}", "removeTemplate",
	    "Customers that were made with it stay as they are", ROUTE_SETTINGS,
	    ROUTE_NOTHING, template,
	    "DELETE FROM tocsin.site_template WHERE id = $1::bigint",
	    .version_sql = ROUTE_VERSION("site_template") },
	{ ROUTE_GET, "/templates/{template_id}/library", "listTemplateLibrary",
	    "What its customers begin with, each value with its level",
	    ROUTE_READ, ROUTE_LIST, template,
	    "SELECT jsonb_build_object('kind', d.kind, 'subject', d.subject, "
	    "'title', d.title, 'enabled', coalesce(l.enabled, d.enabled), "
	    "'enabled_level', CASE WHEN l.enabled IS NULL THEN d.enabled_level "
	    "ELSE 'template' END, 'code', coalesce(l.code, d.code), "
	    "'code_level', CASE WHEN l.code IS NULL THEN d.code_level "
	    "ELSE 'template' END), NULL FROM tocsin.site_template t "
	    "JOIN tocsin.dealer_library d ON d.dealer_id = t.dealer_id "
	    "LEFT JOIN tocsin.site_template_library l ON l.template_id = t.id "
	    "AND CASE d.kind WHEN 'zone_type' THEN l.zone_type::text "
	    "WHEN 'system_event' THEN l.system_event ELSE l.inbound_code END = "
	    "d.subject WHERE t.id = $1::bigint "
	    "ORDER BY d.kind DESC, d.subject" },
	{ ROUTE_PUT, "/templates/{template_id}/library/{kind}/{subject}",
	    "setTemplateLibrary", "Change a value of the template",
	    ROUTE_SETTINGS, ROUTE_ONE, set_library,
	    ROUTE_LIBRARY_SET("site_template_library", "template_id") },
	{ ROUTE_DELETE, "/templates/{template_id}/library/{kind}/{subject}",
	    "resetTemplateLibrary", "Back to the dealer's default",
	    ROUTE_SETTINGS, ROUTE_NOTHING, library_subject,
	    ROUTE_LIBRARY_RESET("site_template_library", "template_id") },
};

const struct route_group template_routes = { "Templates", routes,
	COUNT(routes) };
