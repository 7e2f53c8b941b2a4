#include "unit/test.h"

#include <errno.h>
#include <stdlib.h>

#include "portal/geocoder.h"

static const char nominatim[] =
    "[{\"display_name\":\"12, Rue Haute, Lyon, France\",\"lat\":\"45.75\","
    "\"lon\":\"4.85\",\"address\":{\"house_number\":\"12\",\"road\":"
    "\"Rue Haute\",\"city\":\"Lyon\",\"state\":\"Rhone\",\"postcode\":"
    "\"69001\",\"country\":\"France\",\"country_code\":\"fr\"}},"
    "{\"display_name\":\"x\",\"lat\":\"1\",\"lon\":\"-2.5\",\"address\":{"
    "\"house_number\":\"7\",\"road\":\"Ermou\",\"village\":\"Kifisia\","
    "\"country_code\":\"gr\"}},{\"lat\":3}]";

static const char google[] =
    "{\"status\":\"OK\",\"results\":[{\"formatted_address\":"
    "\"7 Hill St, London N1, UK\",\"geometry\":{\"location\":{\"lat\":51.5,"
    "\"lng\":-0.12}},\"address_components\":[{\"long_name\":\"7\",\"types\":["
    "\"street_number\"]},{\"long_name\":\"Hill Street\",\"types\":[\"route\"]},"
    "{\"long_name\":\"London\",\"types\":[\"postal_town\"]},{\"long_name\":"
    "\"England\",\"types\":[\"administrative_area_level_1\",\"political\"]},"
    "{\"long_name\":\"N1 1AA\",\"types\":[\"postal_code\"]},{\"long_name\":"
    "\"United Kingdom\",\"types\":[\"country\"]}]}]}";

static int
read_with(const struct geocoder_style *style, const char *body,
    struct geocoder_place *places)
{
	struct err err;

	/* not NUL-terminated, so that reading on is noticed */
	char *copy = malloc(strlen(body) + (*body == '\0'));
	int count;

	memcpy(copy, body, strlen(body));
	count = style->read(copy, strlen(body), places, &err);
	free(copy);
	return count;
}

static void
nominatim_answers_are_places(void **state)
{
	struct geocoder_place places[GEOCODER_PLACES_MAX];

	(void)state;
	assert_int_equal(read_with(&geocoder_nominatim, nominatim, places), 3);
	assert_string_equal(places[0].label, "12, Rue Haute, Lyon, France");
	assert_string_equal(places[0].address1, "12 Rue Haute");
	assert_string_equal(places[0].city, "Lyon");
	assert_string_equal(places[0].region, "Rhone");
	assert_string_equal(places[0].postal_code, "69001");
	assert_string_equal(places[0].country, "France");
	assert_true(places[0].latitude == 45.75);
	assert_string_equal(places[1].address1, "Ermou 7");
	assert_string_equal(places[1].city, "Kifisia");
	assert_true(places[1].longitude == -2.5);
	assert_string_equal(places[2].label, "");
}

static void
google_answers_are_places(void **state)
{
	struct geocoder_place places[GEOCODER_PLACES_MAX];

	(void)state;
	assert_int_equal(read_with(&geocoder_google, google, places), 1);
	assert_string_equal(places[0].address1, "7 Hill St");
	assert_string_equal(places[0].city, "London");
	assert_string_equal(places[0].region, "England");
	assert_string_equal(places[0].postal_code, "N1 1AA");
	assert_string_equal(places[0].country, "United Kingdom");
	assert_true(places[0].longitude == -0.12);
	assert_int_equal(read_with(&geocoder_google,
			     "{\"status\":\"ZERO_RESULTS\",\"results\":[]}",
			     places),
	    0);
}

static void
what_is_no_answer_is_refused(void **state)
{
	static const struct {
		const struct geocoder_style *style;
		const char *body;
	} rows[] = {
		{ &geocoder_nominatim, "" },
		{ &geocoder_nominatim, "<html>" },
		{ &geocoder_nominatim, "{\"error\":\"no\"}" },
		{ &geocoder_nominatim, "[{\"lat\":\"1\"}" },
		{ &geocoder_google, "[]" },
		{ &geocoder_google, "{\"status\":\"REQUEST_DENIED\"}" },
		{ &geocoder_google, "{\"results\":[]}" },
	};
	struct geocoder_place places[GEOCODER_PLACES_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_row(read_with(rows[i].style, rows[i].body, places) ==
			-EPROTO,
		    i, rows[i].body);
}

static void
long_texts_are_cut_at_a_character(void **state)
{
	struct geocoder_place places[GEOCODER_PLACES_MAX];
	char body[1024] = "[{\"display_name\":\"";

	(void)state;
	for (int i = 0; i < 200; i++)
		strcat(body, "\xc3\xa9");
	strcat(body, "\"}]");
	assert_int_equal(read_with(&geocoder_nominatim, body, places), 1);
	assert_int_equal(strlen(places[0].label), sizeof(places[0].label) - 2);
}

static void
settings_that_tell_strangers_are_refused(void **state)
{
	static const struct {
		struct geocoder_settings settings;
		bool good;
	} rows[] = {
		{ { "off", "", "" }, true },
		{ { "nominatim", "https://maps.example/search", "" }, true },
		{ { "nominatim", "http://127.0.0.1:8080/search", "" }, true },
		{ { "nominatim", "http://maps.example/search", "" }, false },
		{ { "nominatim", "http://127.0.0.1.example/", "" }, false },
		{ { "nominatim", "", "" }, false },
		{ { "google", "", "" }, false },
		{ { "google", "", "/nowhere/key" }, false },
		{ { "bing", "", "" }, false },
	};
	struct geocoder geocoder;
	struct err err;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int result = geocoder_open(&geocoder, &rows[i].settings, &err);

		geocoder_close(&geocoder);
		assert_row((result == 0) == rows[i].good, i,
		    rows[i].settings.url);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nominatim_answers_are_places),
		cmocka_unit_test(google_answers_are_places),
		cmocka_unit_test(what_is_no_answer_is_refused),
		cmocka_unit_test(long_texts_are_cut_at_a_character),
		cmocka_unit_test(settings_that_tell_strangers_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
