#include "portal/exchange.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/array.h"
#include "base/json.h"

struct exchange *
exchange_new(void)
{
	struct exchange *exchange = calloc(1, sizeof(*exchange));

	if (!exchange)
		return NULL;
	TAILQ_INIT(&exchange->query);
	exchange->answer = calloc(1, sizeof(*exchange->answer));
	if (exchange->answer)
		return exchange;
	free(exchange);
	return NULL;
}

static bool
copy_query(const struct exchange *from, struct exchange *to)
{
	const struct evkeyval *pair;

	TAILQ_FOREACH(pair, &from->query, next)
		if (evhttp_add_header(&to->query, pair->key, pair->value) < 0)
			return false;
	return true;
}

struct exchange *
exchange_copy(const struct exchange *exchange)
{
	struct exchange *copy = exchange_new();

	if (!copy)
		return NULL;
	copy->server = exchange->server;
	copy->route = exchange->route;
	copy->credential = exchange->credential;
	memcpy(copy->token, exchange->token, sizeof(copy->token));
	memcpy(copy->source, exchange->source, sizeof(copy->source));
	copy->path = strdup(exchange->path);
	if (!copy->path || !copy_query(exchange, copy)) {
		exchange_free(copy);
		return NULL;
	}
	for (size_t i = 0; i < ROUTE_PATH_VALUES_MAX; i++)
		if (exchange->path_values[i].data)
			copy->path_values[i] = slice_of(copy->path +
				(exchange->path_values[i].data -
				    exchange->path),
			    exchange->path_values[i].length);
	return copy;
}

void
exchange_free(struct exchange *exchange)
{
	for (unsigned i = 0; i < exchange->word_count; i++)
		free(exchange->words[i]);
	free(exchange->live);
	evhttp_clear_headers(&exchange->query);
	free(exchange->path);
	free(exchange->body);
	json_close(exchange->answer);
	free(exchange->answer);
	free(exchange);
}

static const char *
title_of(int status)
{
	static const struct {
		int status;
		const char *title;
	} titles[] = {
		{ 400, "The request cannot be understood" },
		{ 401, "Sign in first" },
		{ 403, "Not allowed" },
		{ 404, "Not there" },
		{ 405, "Not with this method" },
		{ 409, "Somebody else was faster" },
		{ 412, "Changed meanwhile" },
		{ 413, "Too large" },
		{ 422, "Refused" },
		{ 429, "Too many requests" },
		{ 503, "Not possible at the moment" },
	};

	for (size_t i = 0; i < COUNT(titles); i++)
		if (titles[i].status == status)
			return titles[i].title;
	return "Failed";
}

void
exchange_answer(struct exchange *exchange, int status, const char *text)
{
	exchange->status = status;
	json_reset(exchange->answer);
	json_raw(exchange->answer, NULL, text);
}

void
exchange_problem(struct exchange *exchange, int status, const char *field,
    const char *format, ...)
{
	char detail[600];
	va_list args;

	va_start(args, format);
	vsnprintf(detail, sizeof(detail), format, args);
	va_end(args);
	exchange->status = status;
	exchange->etag[0] = '\0';
	json_reset(exchange->answer);
	json_object_begin(exchange->answer, NULL);
	json_string(exchange->answer, "type", "about:blank");
	json_string(exchange->answer, "title", title_of(status));
	json_integer(exchange->answer, "status", status);
	json_string(exchange->answer, "detail", detail);
	if (field)
		json_string(exchange->answer, "field", field);
	json_object_end(exchange->answer);
}
