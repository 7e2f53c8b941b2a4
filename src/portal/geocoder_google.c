/* The Geocoding API of Google, and what answers like it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "portal/geocoder_answer.h"

static bool
has_type(const json_t *component, const char *wanted)
{
	const json_t *types = json_object_get(component, "types");

	for (size_t i = 0; i < json_array_size(types); i++) {
		const char *type = json_string_value(json_array_get(types, i));

		if (type && strcmp(type, wanted) == 0)
			return true;
	}
	return false;
}

/* "": there is none of this type. */
static void
take_component(const json_t *given, const char *type, char *ret, size_t size)
{
	const json_t *components = json_object_get(given, "address_components");

	*ret = '\0';
	for (size_t i = 0; i < json_array_size(components) && !*ret; i++) {
		const json_t *component = json_array_get(components, i);

		if (has_type(component, type))
			geocoder_answer_text(json_object_get(component,
						 "long_name"),
			    ret, size);
	}
}

/* Street and number stand first, in the order of the country. */
static void
take_street(const json_t *given, struct geocoder_place *place)
{
	char street[GEOCODER_TEXT_SIZE];
	size_t length;

	take_component(given, "route", street, sizeof(street));
	if (!*street)
		return;
	length = strcspn(place->label, ",");
	snprintf(place->address1, sizeof(place->address1), "%.*s",
	    length < sizeof(place->address1) ? (int)length : 0, place->label);
}

static void
take_place(const json_t *given, struct geocoder_place *place)
{
	const json_t *location =
	    json_object_get(json_object_get(given, "geometry"), "location");

	memset(place, 0, sizeof(*place));
	geocoder_answer_text(json_object_get(given, "formatted_address"),
	    place->label, sizeof(place->label));
	take_street(given, place);
	take_component(given, "locality", place->city, sizeof(place->city));
	if (!*place->city)
		take_component(given, "postal_town", place->city,
		    sizeof(place->city));
	take_component(given, "administrative_area_level_1", place->region,
	    sizeof(place->region));
	take_component(given, "postal_code", place->postal_code,
	    sizeof(place->postal_code));
	take_component(given, "country", place->country,
	    sizeof(place->country));
	place->latitude = json_number_value(json_object_get(location, "lat"));
	place->longitude = json_number_value(json_object_get(location, "lng"));
}

static int
read_answer(const char *body, size_t length,
    struct geocoder_place ret[GEOCODER_PLACES_MAX], struct err *err)
{
	json_t *answer = geocoder_answer_parse(body, length, err);
	const char *status =
	    json_string_value(json_object_get(answer, "status"));
	const json_t *results = json_object_get(answer, "results");
	int count = 0;

	if (!answer)
		return -EPROTO;
	if (!status ||
	    (strcmp(status, "OK") != 0 && strcmp(status, "ZERO_RESULTS") != 0))
		count =
		    err_set(err, -EPROTO, "the address service refused: %.60s",
			status ? status : "it tells no status");
	else
		while (count < GEOCODER_PLACES_MAX &&
		    (size_t)count < json_array_size(results)) {
			take_place(json_array_get(results, (size_t)count),
			    &ret[count]);
			count++;
		}
	json_decref(answer);
	return count;
}

const struct geocoder_style geocoder_google = {
	.name = "google",
	.url = "https://maps.googleapis.com/maps/api/geocode/json",
	.needs_key = true,
	.query = "address=",
	.key_query = "&key=",
	.read = read_answer,
};
