#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/json.h"
#include "base/log.h"
#include "portal/exchange.h"
#include "portal/geocoder.h"
#include "portal/operation.h"
#include "portal/route_parts.h"
#include "portal/values.h"

#define TEXT_MIN 3 /* below that everything is like everything */

static void
show_place(struct json *answer, const struct geocoder_place *place)
{
	json_object_begin(answer, NULL);
	json_string(answer, "label", place->label);
	json_string(answer, "address1", place->address1);
	json_string(answer, "city", place->city);
	json_string(answer, "region", place->region);
	json_string(answer, "postal_code", place->postal_code);
	json_string(answer, "country", place->country);
	json_double(answer, "latitude", place->latitude);
	json_double(answer, "longitude", place->longitude);
	json_object_end(answer);
}

static void
look_up(struct exchange *exchange, const char *text)
{
	struct geocoder_place places[GEOCODER_PLACES_MAX];
	struct err err;
	int count = 0;

	if (exchange->geocoder->style && strlen(text) >= TEXT_MIN)
		count = geocoder_find(exchange->geocoder, text, places, &err);
	if (count < 0) {
		log_write(LOG_WARN, "portal", "geocoder_failed", "error=\"%s\"",
		    err.text);
		exchange_problem(exchange, 503, NULL,
		    "addresses cannot be looked up at the moment: type it");
		return;
	}
	json_object_begin(exchange->answer, NULL);
	json_array_begin(exchange->answer, "items");
	for (int i = 0; i < count; i++)
		show_place(exchange->answer, &places[i]);
	json_array_end(exchange->answer);
	json_object_end(exchange->answer);
	exchange->status = 200;
}

static void
find_addresses(struct exchange *exchange, struct db *db)
{
	struct values values;

	(void)db;
	if (!values_read(exchange, &values))
		return;
	look_up(exchange, values_find(&values, exchange->route, "q"));
	values_close(&values);
}

static const struct route_parameter search[] = {
	{ "q", ROUTE_IN_QUERY, ROUTE_TEXT, true,
	    "a part of it, 3 characters at least" },
	{ NULL },
};

static const struct route routes[] = {
	{ ROUTE_GET, "/addresses/known", "listKnownAddresses",
	    "Addresses of customers that are like a text, mistyped ones too",
	    ROUTE_SITES, ROUTE_LIST, search,
	    "SELECT jsonb_build_object('label', concat_ws(', ', "
	    "nullif(a.address1, ''), nullif(concat_ws(' ', "
	    "nullif(a.postal_code, ''), nullif(a.city, '')), ''), "
	    "nullif(a.country, ''))) || to_jsonb(a), NULL "
	    "FROM tocsin.address_search($1, 5) a" },
	{ ROUTE_GET, "/addresses/found", "findAddresses",
	    "What the address service finds; nothing where there is none",
	    ROUTE_SITES, ROUTE_LIST, search, .handle = find_addresses,
	    .worker = ROUTE_OUTSIDE },
};

const struct route_group address_routes = { "Addresses", routes,
	COUNT(routes) };
