#include "egress/http.h"

#include <errno.h>
#include <stdio.h>

int
http_encode(const struct link *link, const struct http_content *content,
    size_t body_bytes, char *out, const char **ret_problem)
{
	const struct directory_endpoint *endpoint = connect_endpoint(link);
	const struct http_post post = {
		.host =
		    *endpoint->tls_name ? endpoint->tls_name : endpoint->host,
		.port = endpoint->port,
		.tls = endpoint->transport == DIRECTORY_TRANSPORT_HTTPS,
		.path = endpoint->path,
		.content_type = content->type,
		.bearer = content->bearer,
		.idempotency_key = content->idempotency_key,
		.signature = content->signature,
	};
	size_t length = http_post_encode(&post, out, body_bytes);

	if (length > 0)
		return (int)length;
	*ret_problem = "the head of an HTTP request has no room for it";
	return -EINVAL;
}

/* ---- answers ------------------------------------------------------------------ */

/* What the message itself is to blame for, and will be again. */
static bool
blames_message(unsigned status)
{
	return status == 400 || status == 413 || status == 415 || status == 422;
}

static enum answer
answer_of(unsigned status)
{
	if (status / 100 == 2)
		return ANSWER_ACK;
	if (status == 410)
		return ANSWER_GONE;
	return blames_message(status) ? ANSWER_NAK : ANSWER_TROUBLE;
}

/* Servers end connections that nobody uses, some with a word. */
static void
take_farewell(struct link *link)
{
	if (link_is_idle(link))
		link->renew = "the station ends an idle connection";
	else
		link->lost = "an answer to nothing";
}

static void
take_answer(struct link *link)
{
	unsigned status = link->http.status;
	struct slot *oldest = send_oldest(link);
	enum answer answer = answer_of(status);
	char reason[64];

	if (link->http.last)
		link->renew = "the station ends the connection";
	if (!oldest && !link->beat_sent) {
		take_farewell(link);
	} else if (answer == ANSWER_ACK &&
	    transport_is_writing(&link->transport)) {
		link->lost = "the station answered before it had the request";
	} else {
		snprintf(reason, sizeof(reason), "the station answered %u%s",
		    status, answer == ANSWER_GONE ? ", which is for good" : "");
		send_answered(link, oldest, answer, reason);
	}
}

size_t
http_feed(struct link *link, const char *data, size_t length)
{
	size_t used = 0;

	while (used < length && !link->lost && !link->renew) {
		int step =
		    http_answers_next(&link->http, data + used, length - used);

		if (step < 0) {
			link->lost = "it does not speak HTTP";
			break;
		}
		if (step == 0)
			break;
		used += (size_t)step;
		if (link->http.found)
			take_answer(link);
	}
	return used;
}
