#include "egress/settings.h"

#include <stdlib.h>

static char *
place_text(char **position, const char *text)
{
	size_t size = strlen(text) + 1;
	char *out = *position;

	memcpy(out, text, size);
	*position += size;
	return out;
}

struct directory_receiver *
settings_copy(const struct directory_receiver *receiver)
{
	size_t count = receiver->endpoint_count;
	size_t size = sizeof(*receiver) +
	    count * sizeof(receiver->endpoints[0]) + strlen(receiver->name) + 1;
	struct directory_receiver *copy;
	struct directory_endpoint *endpoints;
	char *texts;

	for (size_t i = 0; i < count; i++)
		size += strlen(receiver->endpoints[i].host) + 1;
	copy = malloc(size);
	if (!copy)
		return NULL;
	*copy = *receiver;
	endpoints = (struct directory_endpoint *)(copy + 1);
	texts = (char *)(endpoints + count);
	for (size_t i = 0; i < count; i++) {
		endpoints[i] = receiver->endpoints[i];
		endpoints[i].host = place_text(&texts, endpoints[i].host);
	}
	copy->endpoints = endpoints;
	copy->name = place_text(&texts, receiver->name);
	return copy;
}

static bool
endpoints_equal(const struct directory_receiver *a,
    const struct directory_receiver *b)
{
	if (a->endpoint_count != b->endpoint_count)
		return false;
	for (unsigned i = 0; i < a->endpoint_count; i++)
		if (strcmp(a->endpoints[i].host, b->endpoints[i].host) != 0 ||
		    a->endpoints[i].port != b->endpoints[i].port ||
		    a->endpoints[i].udp != b->endpoints[i].udp)
			return false;
	return true;
}

bool
settings_equal(const struct directory_receiver *a,
    const struct directory_receiver *b)
{
	return a->id == b->id && strcmp(a->name, b->name) == 0 &&
	    a->protocol == b->protocol && a->listen == b->listen &&
	    a->paused == b->paused &&
	    strcmp(a->receiver_number, b->receiver_number) == 0 &&
	    strcmp(a->line_number, b->line_number) == 0 &&
	    a->line_digits == b->line_digits && a->sia_block == b->sia_block &&
	    a->clock == b->clock && a->header_space == b->header_space &&
	    a->account_policy == b->account_policy &&
	    a->translation == b->translation &&
	    a->account_digits == b->account_digits &&
	    a->heartbeat_ms == b->heartbeat_ms &&
	    a->ack_wait_ms == b->ack_wait_ms && a->retries == b->retries &&
	    a->in_flight == b->in_flight && a->key_length == b->key_length &&
	    memcmp(a->key, b->key, a->key_length) == 0 && endpoints_equal(a, b);
}
