#include "codec/webhook.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define DIGITS_MAX 12 /* of a time */

int
webhook_write(const struct event_json_settings *settings,
    const struct delivery *delivery, struct json *json,
    const char **ret_problem)
{
	static const struct event_json_form form = {
		.id = "id",
		.receiver = "Receiver",
		.line = "Line",
		.account = "Account",
		.reference_id = "ReferenceId",
		.event = "Event",
		.zone_name = "ZoneName",
		.site_name = "SiteName",
		.text = "Text",
		.text_omitted = "TextOmitted",
		.occurred_at = "OccurredAt",
		.received_at = "ReceivedAt",
		.url = "Url",
		.test = "Test",
		.no_room = "a webhook has no room for it",
	};
	const struct event_json_settings own = {
		.id = settings->id,
		.receiver = settings->receiver,
		.line = settings->line,
	};

	return event_json_write(&form, &own, delivery, WEBHOOK_BODY_MAX, json,
	    ret_problem);
}

/* ---- signature ---------------------------------------------------------------- */

static void
digest_of(struct slice passkey, const char *time, struct slice body,
    uint8_t ret[crypto_auth_hmacsha256_BYTES])
{
	crypto_auth_hmacsha256_state state;

	crypto_auth_hmacsha256_init(&state, (const uint8_t *)passkey.data,
	    passkey.length);
	crypto_auth_hmacsha256_update(&state, (const uint8_t *)time,
	    strlen(time));
	crypto_auth_hmacsha256_update(&state, (const uint8_t *)".", 1);
	crypto_auth_hmacsha256_update(&state, (const uint8_t *)body.data,
	    body.length);
	crypto_auth_hmacsha256_final(&state, ret);
	sodium_memzero(&state, sizeof(state));
}

void
webhook_sign(struct slice passkey, int64_t wall_us, struct slice body,
    char out[WEBHOOK_SIGNATURE_SIZE])
{
	uint8_t digest[crypto_auth_hmacsha256_BYTES];
	char time[24], hex[2 * sizeof(digest) + 1];

	snprintf(time, sizeof(time), "%" PRId64, wall_us / 1000000);
	digest_of(passkey, time, body, digest);
	text_hex_encode(digest, sizeof(digest), hex);
	snprintf(out, WEBHOOK_SIGNATURE_SIZE, "t=%s,v1=%s", time, hex);
}

/* The rest behind these words; SLICE_NONE: it does not begin with them. */
static struct slice
behind(struct slice text, const char *words)
{
	size_t length = strlen(words);

	return slice_is(slice_part(text, 0, length), words)
	    ? slice_part(text, length, text.length)
	    : SLICE_NONE;
}

bool
webhook_is_signed(struct slice passkey, struct slice signature,
    struct slice body, int64_t *ret_time_s)
{
	uint8_t digest[crypto_auth_hmacsha256_BYTES],
	    told[crypto_auth_hmacsha256_BYTES];
	struct slice rest = behind(signature, "t=");
	char time[DIGITS_MAX + 1];
	unsigned long time_s;
	size_t digits = 0;

	while (digits < rest.length && rest.data[digits] != ',')
		digits++;
	if (slice_copy(slice_part(rest, 0, digits), time, sizeof(time)) < 0 ||
	    slice_to_number(slice_from_string(time), 10, &time_s) < 0)
		return false;
	rest = behind(slice_part(rest, digits, rest.length), ",v1=");
	if (text_hex_decode(rest, told, sizeof(told)) != (int)sizeof(told))
		return false;
	digest_of(passkey, time, body, digest);
	*ret_time_s = (int64_t)time_s;
	return sodium_memcmp(digest, told, sizeof(digest)) == 0;
}
