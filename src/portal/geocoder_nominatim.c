/* Nominatim's /search in format jsonv2, which others speak too. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "portal/geocoder_answer.h"

/* The first of these members that is there. */
static void
take_first(const json_t *address, const char *const *names, char *ret,
    size_t size)
{
	*ret = '\0';
	for (; *names && !*ret; names++)
		geocoder_answer_text(json_object_get(address, *names), ret,
		    size);
}

/* Countries that write the number before the street. */
static bool
number_comes_first(const char *country_code)
{
	static const char *const codes[] = { "au", "ca", "fr", "gb", "ie", "lu",
		"nz", "us", "za" };

	for (size_t i = 0; i < COUNT(codes); i++)
		if (strcmp(codes[i], country_code) == 0)
			return true;
	return false;
}

static void
take_street(const json_t *address, char *ret, size_t size)
{
	static const char *const streets[] = { "road", "pedestrian", "footway",
		"square", "hamlet", NULL };
	char street[GEOCODER_TEXT_SIZE / 2], number[32], code[8];
	bool first;

	take_first(address, streets, street, sizeof(street));
	geocoder_answer_text(json_object_get(address, "house_number"), number,
	    sizeof(number));
	geocoder_answer_text(json_object_get(address, "country_code"), code,
	    sizeof(code));
	first = number_comes_first(code);
	snprintf(ret, size, "%s%s%s", first ? number : street,
	    *street && *number ? " " : "", first ? street : number);
}

static void
take_place(const json_t *given, struct geocoder_place *place)
{
	static const char *const cities[] = { "city", "town", "village",
		"municipality", NULL };
	static const char *const regions[] = { "state", "province", "county",
		NULL };
	const json_t *address = json_object_get(given, "address");
	const char *latitude = json_string_value(json_object_get(given, "lat"));
	const char *longitude =
	    json_string_value(json_object_get(given, "lon"));

	geocoder_answer_text(json_object_get(given, "display_name"),
	    place->label, sizeof(place->label));
	take_street(address, place->address1, sizeof(place->address1));
	take_first(address, cities, place->city, sizeof(place->city));
	take_first(address, regions, place->region, sizeof(place->region));
	geocoder_answer_text(json_object_get(address, "postcode"),
	    place->postal_code, sizeof(place->postal_code));
	geocoder_answer_text(json_object_get(address, "country"),
	    place->country, sizeof(place->country));
	place->latitude = latitude ? strtod(latitude, NULL) : 0;
	place->longitude = longitude ? strtod(longitude, NULL) : 0;
}

static int
read_answer(const char *body, size_t length,
    struct geocoder_place ret[GEOCODER_PLACES_MAX], struct err *err)
{
	json_t *answer = geocoder_answer_parse(body, length, err);
	int count = 0;

	if (!answer)
		return -EPROTO;
	if (!json_is_array(answer))
		count = err_set(err, -EPROTO,
		    "the address service's answer is no list");
	else
		while (count < GEOCODER_PLACES_MAX &&
		    (size_t)count < json_array_size(answer)) {
			take_place(json_array_get(answer, (size_t)count),
			    &ret[count]);
			count++;
		}
	json_decref(answer);
	return count;
}

const struct geocoder_style geocoder_nominatim = {
	.name = "nominatim",
	.query = "format=jsonv2&addressdetails=1&limit=5&q=",
	.key_query = "&key=",
	.read = read_answer,
};
