#include "ingress/http_key.h"

#include <sodium.h>
#include <string.h>

#include "base/text.h"
#include "ingress/policy.h"
#include "ingress/worker.h"

#define BEARER	  "Bearer "
#define TOKEN	  "tb-"
#define SECOND_US 1000000

static const uint8_t nobody[DIRECTORY_KEY_SIZE];

/* The rest behind this beginning. */
static bool
take_word(struct slice *from, const char *word)
{
	size_t length = strlen(word);

	if (!slice_is(slice_part(*from, 0, length), word))
		return false;
	*from = slice_part(*from, length, from->length);
	return true;
}

/* What comes before the character, which goes with it. */
static bool
take_before(struct slice *from, char end, struct slice *ret)
{
	const char *at =
	    from->length > 0 ? memchr(from->data, end, from->length) : NULL;

	if (!at)
		return false;
	*ret = slice_of(from->data, (size_t)(at - from->data));
	*from = slice_part(*from, ret->length + 1, from->length);
	return true;
}

static struct http_proof
refused(enum ingress_refusal cause, const char *reason, struct slice claimed)
{
	return (struct http_proof){
		.cause = cause, .reason = reason, .claimed = claimed
	};
}

/* NULL: nobody's. One that signals by another listener is nobody here. */
static const struct directory_bridge *
find_bridge(const struct frame_origin *origin, struct slice id)
{
	const struct directory_bridge *bridge = NULL;
	unsigned long number;

	if (slice_to_number(id, 10, &number) == 0)
		bridge =
		    directory_bridge_by_id(origin->worker->directory, number);
	if (bridge && bridge->listener &&
	    !slice_is(origin->slot->name, bridge->listener))
		return NULL;
	return bridge;
}

/* The verdict of one comparison. known: the bridge has such a key. */
static struct http_proof
judge(const struct directory_bridge *bridge, bool known, bool right,
    struct slice claimed)
{
	if (!bridge)
		return refused(INGRESS_REFUSED_UNKNOWN_ACCOUNT,
		    "a bridge that nobody has, or that signals elsewhere",
		    claimed);
	if (!known)
		return refused(INGRESS_REFUSED_NO_KEY,
		    "a bridge without such a key", claimed);
	if (!right)
		return refused(INGRESS_REFUSED_WRONG_KEY,
		    "another key than the bridge's", claimed);
	return (struct http_proof){ .bridge = bridge, .claimed = claimed };
}

/* ---- bearer -------------------------------------------------------------------- */

/* With a key that was rolled: may it still be used? */
static struct http_proof
with_previous(const struct frame_origin *origin, struct http_proof proof,
    int64_t until_us)
{
	if (proof.bridge && origin->worker->wall_us > until_us)
		return refused(INGRESS_REFUSED_OLD_KEY,
		    "the key before its present one, whose time is over",
		    proof.claimed);
	proof.previous_until_us = until_us;
	return proof;
}

static bool
is_hash(const uint8_t hash[DIRECTORY_HASH_SIZE], const uint8_t *known)
{
	bool same = sodium_memcmp(hash, known ? known : nobody,
			DIRECTORY_HASH_SIZE) == 0;

	return known && same;
}

static struct http_proof
prove_bearer(const struct frame_origin *origin, struct slice authorization)
{
	struct slice token, rest, id;
	const struct directory_previous_bearer *previous;
	const struct directory_bridge *bridge;
	uint8_t hash[DIRECTORY_HASH_SIZE];
	struct http_proof proof;
	bool right, before;

	if (!take_word(&authorization, BEARER))
		return refused(INGRESS_REFUSED_UNPROCESSABLE, "no bearer key",
		    SLICE_NONE);
	rest = token = authorization;
	if (!take_word(&rest, TOKEN) || !take_before(&rest, '-', &id))
		return refused(INGRESS_REFUSED_UNPROCESSABLE,
		    "no bearer key of a bridge", SLICE_NONE);
	bridge = find_bridge(origin, id);
	previous = bridge ? bridge->previous_bearer : NULL;
	crypto_hash_sha256(hash, (const uint8_t *)token.data, token.length);
	right = is_hash(hash, bridge ? bridge->bearer_hash : NULL);
	before = is_hash(hash, previous ? previous->hash : NULL);
	proof =
	    judge(bridge, bridge && bridge->bearer_hash, right || before, id);
	return before ? with_previous(origin, proof, previous->until_us)
		      : proof;
}

/* ---- signature ------------------------------------------------------------------- */

struct claim {
	struct slice id, time;
	unsigned long time_s;
	uint8_t digest[crypto_auth_hmacsha256_BYTES];
};

static bool
read_claim(struct slice text, struct claim *ret)
{
	if (!take_word(&text, "bridge=") ||
	    !take_before(&text, ',', &ret->id) || !take_word(&text, "t=") ||
	    !take_before(&text, ',', &ret->time) || !take_word(&text, "v1="))
		return false;
	return ret->time.length < 12 &&
	    slice_to_number(ret->time, 10, &ret->time_s) == 0 &&
	    text_hex_decode(text, ret->digest, sizeof(ret->digest)) ==
	    (int)sizeof(ret->digest);
}

static void
add(crypto_auth_hmacsha256_state *state, struct slice part, const char *end)
{
	if (part.length > 0)
		crypto_auth_hmacsha256_update(state, (const uint8_t *)part.data,
		    part.length);
	crypto_auth_hmacsha256_update(state, (const uint8_t *)end, strlen(end));
}

static bool
is_signed(const struct http_request *request, const struct claim *claim,
    const uint8_t *key, size_t key_length)
{
	crypto_auth_hmacsha256_state state;
	uint8_t digest[crypto_auth_hmacsha256_BYTES];

	crypto_auth_hmacsha256_init(&state, key, key_length);
	add(&state, claim->time, "\n");
	add(&state, request->method, "\n");
	add(&state, request->target, "\n");
	add(&state, request->fields[HTTP_IDEMPOTENCY_KEY], "\n");
	add(&state, request->body, "");
	crypto_auth_hmacsha256_final(&state, digest);
	sodium_memzero(&state, sizeof(state));
	return sodium_memcmp(digest, claim->digest, sizeof(digest)) == 0;
}

static bool
in_window(const struct frame_origin *origin,
    const struct directory_bridge *bridge, unsigned long time_s)
{
	struct dc09_window window = policy_time_window(origin, bridge);
	int64_t age_s = origin->worker->wall_us / SECOND_US - (int64_t)time_s;

	return age_s <= window.past_s && age_s >= -window.future_s;
}

/* With the key before the last roll; tried for everybody who has not signed with
 * the present one, as the time of an answer tells who there is otherwise. */
static bool
is_signed_before(const struct http_request *request, const struct claim *claim,
    const struct directory_bridge *bridge)
{
	const struct directory_previous_key *previous =
	    bridge ? bridge->previous_key : NULL;
	bool right =
	    is_signed(request, claim, previous ? previous->bytes : nobody,
		previous ? previous->length : sizeof(nobody));

	return previous && right;
}

/* Who signed it by a key that is right. */
static struct http_proof
check_time(const struct frame_origin *origin, const struct claim *claim,
    struct http_proof proof)
{
	if (!in_window(origin, proof.bridge, claim->time_s))
		return refused(INGRESS_REFUSED_TIME_WINDOW,
		    "signed too long ago, or by another clock", claim->id);
	/* in one case, or it could be sent again as another */
	text_hex_encode(claim->digest, sizeof(claim->digest), proof.signature);
	return proof;
}

static struct http_proof
prove_signature(const struct frame_origin *origin,
    const struct http_request *request)
{
	const struct directory_bridge *bridge;
	struct http_proof proof;
	struct claim claim;
	bool known, right, before = false;

	if (!read_claim(request->fields[HTTP_SIGNATURE], &claim))
		return refused(INGRESS_REFUSED_UNPROCESSABLE,
		    "a signature that is none", SLICE_NONE);
	bridge = find_bridge(origin, claim.id);
	known = bridge && bridge->key_length > 0;
	right = is_signed(request, &claim, known ? bridge->key : nobody,
	    known ? bridge->key_length : sizeof(nobody));
	if (!known || !right)
		before = is_signed_before(request, &claim, bridge);
	proof = judge(bridge, known, right || before, claim.id);
	if (before)
		proof = with_previous(origin, proof,
		    bridge->previous_key->until_us);
	return proof.bridge ? check_time(origin, &claim, proof) : proof;
}

struct http_proof
http_key_prove(const struct frame_origin *origin,
    const struct http_request *request)
{
	if (slice_present(request->fields[HTTP_SIGNATURE]))
		return prove_signature(origin, request);
	if (slice_present(request->fields[HTTP_AUTHORIZATION]))
		return prove_bearer(origin,
		    request->fields[HTTP_AUTHORIZATION]);
	return refused(INGRESS_REFUSED_UNPROCESSABLE, "no key at all",
	    SLICE_NONE);
}
