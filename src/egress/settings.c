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

static size_t
texts_size(const struct directory_endpoint *endpoint)
{
	return strlen(endpoint->host) + 1 + strlen(endpoint->tls_name) + 1 +
	    strlen(endpoint->tls_ca) + 1 + strlen(endpoint->tls_certificate) +
	    1 + strlen(endpoint->path) + 1;
}

static void
place_texts(char **position, struct directory_endpoint *endpoint)
{
	endpoint->host = place_text(position, endpoint->host);
	endpoint->tls_name = place_text(position, endpoint->tls_name);
	endpoint->tls_ca = place_text(position, endpoint->tls_ca);
	endpoint->tls_certificate =
	    place_text(position, endpoint->tls_certificate);
	endpoint->path = place_text(position, endpoint->path);
}

struct directory_receiver *
settings_copy(const struct directory_receiver *receiver)
{
	size_t count = receiver->endpoint_count;
	size_t size = sizeof(*receiver) +
	    count * sizeof(receiver->endpoints[0]) + strlen(receiver->name) +
	    1 + strlen(receiver->codes) + 1;
	struct directory_receiver *copy;
	struct directory_endpoint *endpoints;
	char *texts;

	for (size_t i = 0; i < count; i++)
		size += texts_size(&receiver->endpoints[i]);
	copy = malloc(size);
	if (!copy)
		return NULL;
	*copy = *receiver;
	endpoints = (struct directory_endpoint *)(copy + 1);
	texts = (char *)(endpoints + count);
	for (size_t i = 0; i < count; i++) {
		endpoints[i] = receiver->endpoints[i];
		place_texts(&texts, &endpoints[i]);
	}
	copy->endpoints = endpoints;
	copy->name = place_text(&texts, receiver->name);
	copy->codes = place_text(&texts, receiver->codes);
	return copy;
}

static bool
endpoint_equal(const struct directory_endpoint *a,
    const struct directory_endpoint *b)
{
	return strcmp(a->host, b->host) == 0 && a->port == b->port &&
	    a->transport == b->transport &&
	    strcmp(a->tls_name, b->tls_name) == 0 &&
	    strcmp(a->tls_ca, b->tls_ca) == 0 &&
	    strcmp(a->tls_certificate, b->tls_certificate) == 0 &&
	    strcmp(a->path, b->path) == 0;
}

static bool
endpoints_equal(const struct directory_receiver *a,
    const struct directory_receiver *b)
{
	if (a->endpoint_count != b->endpoint_count)
		return false;
	for (unsigned i = 0; i < a->endpoint_count; i++)
		if (!endpoint_equal(&a->endpoints[i], &b->endpoints[i]))
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
	    strcmp(a->codes, b->codes) == 0 && a->shadow_of == b->shadow_of &&
	    a->account_digits == b->account_digits &&
	    a->heartbeat_ms == b->heartbeat_ms &&
	    a->ack_wait_ms == b->ack_wait_ms && a->retries == b->retries &&
	    a->in_flight == b->in_flight && a->key_length == b->key_length &&
	    memcmp(a->key, b->key, a->key_length) == 0 &&
	    strcmp(a->passkey, b->passkey) == 0 && endpoints_equal(a, b);
}
