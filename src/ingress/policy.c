#include "ingress/policy.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "ingress/session.h"

#define EXTENDED_MAC 'M'

static bool
is_tls(const struct frame_origin *origin)
{
	return origin->session && origin->session->tls;
}

const struct breach *
policy_check_way(const struct frame_origin *origin,
    const struct directory_bridge *bridge, bool encrypted)
{
	static const struct breach no_tls = { INGRESS_REFUSED_NO_TLS,
		"not over TLS, from a bridge that must use it" };
	static const struct breach clear_bridge = { INGRESS_REFUSED_CLEAR_TEXT,
		"clear text from a bridge that must encrypt" };
	static const struct breach clear = { INGRESS_REFUSED_CLEAR_TEXT,
		"clear text where the listener demands encryption" };

	if (bridge && bridge->tls_required && !is_tls(origin))
		return &no_tls;
	if (encrypted)
		return NULL;
	if (bridge && bridge->cipher_required)
		return &clear_bridge;
	return origin->slot->config->cipher_required ? &clear : NULL;
}

static bool
is_mac(struct slice text, const uint8_t mac[DIRECTORY_MAC_SIZE])
{
	uint8_t said[DIRECTORY_MAC_SIZE];

	return text_hex_decode(text, said, sizeof(said)) == sizeof(said) &&
	    memcmp(said, mac, sizeof(said)) == 0;
}

const struct breach *
policy_check_signal(const struct directory_bridge *bridge,
    const struct signal *signal)
{
	static const struct breach other_mac = { INGRESS_REFUSED_OTHER_MAC,
		"it names another MAC than its bridge's" };

	for (unsigned i = 0;
	     bridge && bridge->mac && i < signal->extended_count; i++)
		if (signal->extended[i].id == EXTENDED_MAC &&
		    !is_mac(signal->extended[i].value, bridge->mac))
			return &other_mac;
	return NULL;
}

void
policy_note_previous_key(const struct frame_origin *origin,
    const struct directory_bridge *bridge, int64_t until_us)
{
	char until[CLOCK_TEXT_SIZE];

	counter_add(&origin->slot->counters.previous_key, 1);
	log_limited(&origin->slot->key_limit, LOG_NOTICE, "ingress",
	    "previous-key",
	    "listener=%s peer=%s bridge=%" PRIu64
	    " account=%s accepted_until=%s",
	    origin->slot->config->name, origin->peer, bridge->id,
	    bridge->account ? bridge->account : "",
	    clock_format(until_us, until));
}

struct dc09_window
policy_time_window(const struct frame_origin *origin,
    const struct directory_bridge *bridge)
{
	const struct directory_time_window *own =
	    bridge ? bridge->time_window : NULL;

	if (!own)
		return origin->slot->config->window;
	return (struct dc09_window){ .past_s = (int32_t)own->past_s,
		.future_s = (int32_t)own->future_s };
}
