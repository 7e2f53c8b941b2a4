#include "base/array.h"
#include "portal/route_parts.h"

static const struct route routes[] = {
	{ ROUTE_GET, "/centers", "listCenters", "Monitoring stations",
	    ROUTE_READ, ROUTE_LIST, route_no_parameters,
	    "SELECT to_jsonb(c) - 'dealer_id', NULL FROM tocsin.center c "
	    "WHERE c.dealer_id IS NULL ORDER BY c.name" },
	{ ROUTE_GET, "/receivers", "listReceivers",
	    "Receivers that may be chosen", ROUTE_READ, ROUTE_LIST,
	    route_no_parameters,
	    "SELECT jsonb_build_object('id', r.id, 'center_id', r.center_id, "
	    "'name', r.name, 'protocol', r.protocol, 'visibility', "
	    "r.visibility), NULL FROM tocsin.receiver r "
	    "JOIN tocsin.center c ON c.id = r.center_id "
	    "WHERE c.dealer_id IS NULL AND r.shadow_of IS NULL "
	    "ORDER BY r.name" },
	{ ROUTE_GET, "/zone-types", "listZoneTypes", "How zones behave",
	    ROUTE_READ, ROUTE_LIST, route_no_parameters,
	    ROUTE_ALL_OF("zone_type", "number") },
	{ ROUTE_GET, "/arming-methods", "listArmingMethods",
	    "What may arm a site", ROUTE_READ, ROUTE_LIST, route_no_parameters,
	    ROUTE_ALL_OF("arming_method", "position") },
	{ ROUTE_GET, "/supervision-classes", "listSupervisionClasses",
	    "Presets of supervision", ROUTE_READ, ROUTE_LIST,
	    route_no_parameters, ROUTE_ALL_OF("supervision_class", "name") },
	{ ROUTE_GET, "/roles", "listRoles", "What users may be", ROUTE_READ,
	    ROUTE_LIST, route_no_parameters,
	    ROUTE_ALL_OF("user_role", "name") },
	{ ROUTE_GET, "/timezones", "listTimezones", "IANA names", ROUTE_READ,
	    ROUTE_LIST, route_no_parameters, ROUTE_ALL_OF("timezone", "name") },
};

const struct route_group reference_routes = { "Reference", routes,
	COUNT(routes) };
