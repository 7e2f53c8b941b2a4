/* What is posted to a simulated station by HTTP, and its answers. One thread. */
#ifndef STATION_HTTP_H
#define STATION_HTTP_H

#include "codec/http.h"
#include "station/protocol.h"

/* Whether the sender knows the passkey, where one is demanded. */
bool http_is_proven(const struct station_options *options,
    const struct http_request *request, int64_t now_us);
/* 200, or what the options want refused with, into message's ack and nak. */
void http_answer(const struct station_options *options, int64_t now_us,
    struct message *message);
/* It is not taken: this is its answer. */
void http_refuse(unsigned status, int64_t now_us, struct message *message);

#endif
